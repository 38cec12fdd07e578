package hotline

import (
	"strings"

	"parley"
)

// Check reports the rule that the message alone breaks.
func (t *Text) Check() error {
	for _, err := range []error{
		checkMax("type", t.Type, 0, maxType),
		checkMax("line", t.Line, 0, MaxLine),
		checkProse("text", t.Text, MaxText),
		checkLine("subject", t.Subject, MaxSubject),
		checkMax("acknowledgement", t.Ack, 0, maxAck),
		checkMax("handling", t.Handling, 0, maxHandling),
		checkLine("reservation", t.Reservation, MaxReservation),
		checkLine("drafter", t.Drafter, MaxRole),
		checkLine("releaser", t.Releaser, MaxRole),
		t.checkRelation(),
		t.checkInfo(),
		t.checkCitations(),
		t.checkLanguage(),
	} {
		if err != nil {
			return err
		}
	}
	if t.ReplyBy > parley.MaxUint {
		return parley.Errorf(parley.CodeOutOfRange, "reply-by time %d", t.ReplyBy)
	}
	return nil
}

func (t *Text) checkRelation() error {
	if t.Relation > maxRel || (t.Relation == Unrelated) != (t.About == nil) {
		return parley.Errorf(parley.CodeOutOfRange, "relation %d and the message it is to do not fit", t.Relation)
	}
	if len(t.Paragraphs) > 0 && t.Relation != Corrects {
		return parley.Errorf(CodeParagraphs, "paragraphs are named, but the message does not correct one")
	}
	if len(t.Paragraphs) > MaxParagraphs {
		return parley.Errorf(parley.CodeLength, "%d paragraphs are named; at most %d are allowed", len(t.Paragraphs), MaxParagraphs)
	}
	for i, p := range t.Paragraphs {
		if p < 1 || p > MaxParagraph || i > 0 && t.Paragraphs[i-1] >= p {
			return parley.Errorf(CodeParagraphs, "paragraph %d stands in the list out of order", p)
		}
	}
	return nil
}

func (t *Text) checkInfo() error {
	if t.Info == 0 {
		if t.InfoLane != 0 {
			return parley.Errorf(CodeInfo, "a precedence for info addressees, but there are none")
		}
		return nil
	}
	if t.InfoLane >= parley.Lanes {
		return parley.Errorf(parley.CodeOutOfRange, "precedence %d", t.InfoLane)
	}
	return checkSet(CodeInfo, "info addressees", t.Info)
}

func (t *Text) checkCitations() error {
	if len(t.Citations) > MaxCitations {
		return parley.Errorf(parley.CodeLength, "%d references; the letters end at %d", len(t.Citations), MaxCitations)
	}
	for i, c := range t.Citations {
		if c.Ref == nil && c.Note == "" {
			return parley.Errorf(CodeCitation, "reference %c names nothing", 'A'+i)
		}
		if err := checkLine("reference", c.Note, MaxCitation); err != nil {
			return err
		}
	}
	return nil
}

func (t *Text) checkLanguage() error {
	if t.Language == "" {
		if t.Governs {
			return parley.Errorf(CodeLanguage, "the original governs, but its language is not stated")
		}
		return nil
	}
	return checkTag(t.Language)
}

// checkTag checks the shape of a BCP 47 tag (RFC 5646 section 2.1): a primary
// subtag of 2 to 8 letters, then subtags of 1 to 8 letters or digits.
func checkTag(tag string) error {
	bad := parley.Errorf(CodeLanguage, "%q is not a language tag", tag)
	if len(tag) > MaxLanguage {
		return bad
	}
	for i, sub := range strings.Split(tag, "-") {
		if len(sub) < 1 || len(sub) > 8 || i == 0 && len(sub) < 2 {
			return bad
		}
		for _, r := range sub {
			letter := r|0x20 >= 'a' && r|0x20 <= 'z'
			if !letter && (i == 0 || r < '0' || r > '9') {
				return bad
			}
		}
	}
	return nil
}

// CheckIn checks the info addressees against the entry's readers: they are
// readers, not all of them, and their precedence is not above the message's.
// Everyone else addressed is an action addressee, so the two sets together are
// always the entry's audience.
func (t *Text) CheckIn(c *parley.Charter, author parley.Party, lane parley.Lane, to parley.Audience) error {
	if t.Info == 0 {
		return nil
	}
	readers := c.Readers(author, to)
	switch {
	case t.Info&^readers != 0:
		return parley.Errorf(CodeInfo, "an info addressee is not among the readers")
	case t.Info == readers:
		return parley.Errorf(CodeInfo, "all readers are for information; one at least must be for action")
	case t.InfoLane < lane:
		return parley.Errorf(CodeInfo, "precedence %s for info addressees is above the message's %s", t.InfoLane, lane)
	}
	return nil
}

// Action is the set of action addressees among the entry's readers.
func (t *Text) Action(readers parley.Audience) parley.Audience { return readers &^ t.Info }
