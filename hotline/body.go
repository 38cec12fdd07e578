package hotline

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"parley"
)

// Limits of version 1, in bytes unless said otherwise.
const (
	MaxText        = 32 << 10 // of a message
	MaxSubject     = 200
	MaxNote        = 1000 // text of an answer, a query, an attempt
	MaxReservation = 500
	MaxRole        = 64 // drafter, releaser, translator, level of a line
	MaxCitation    = 200
	MaxCitations   = 26 // A to Z
	MaxParagraphs  = 64
	MaxParagraph   = 9999
	MaxLine        = 99 // number of a line; 0 is none
	MaxLanguage    = 35
)

// maxDepth is the deepest nesting of a body: message, citations, citation, ref.
const maxDepth = 4

// Body is what an entry of the hotline says: *Text, *Answer, *Line, *Attempt,
// *Query or *Translation.
type Body interface {
	Kind() parley.Kind
	// Encode is the canonical form. Call Check first on what a person typed.
	Encode() []byte
	// Check reports the rule that the body alone breaks.
	Check() error
	// CheckIn reports the rule that the body breaks as an entry by author in a
	// lane of channel c, addressed to to.
	CheckIn(c *parley.Charter, author parley.Party, lane parley.Lane, to parley.Audience) error
}

// Draft makes a draft of a body. Whether it may be sent is Desk.Check's to say.
func Draft(b Body, lane parley.Lane, to parley.Audience) parley.Draft {
	return parley.Draft{Lane: lane, Kind: b.Kind(), To: to, Body: b.Encode()}
}

// Parse reads the body of an entry of kind k: the one canonical form, every
// rule of Check included.
func Parse(k parley.Kind, b []byte) (Body, error) {
	d := parley.NewDecoder(b, maxDepth)
	var body Body
	switch k {
	case KindText:
		body = decodeText(d)
	case KindAnswer:
		body = decodeAnswer(d)
	case KindLine:
		body = decodeLine(d)
	case KindAttempt:
		body = decodeAttempt(d)
	case KindQuery:
		body = decodeQuery(d)
	case KindTranslation:
		body = decodeTranslation(d)
	default:
		return nil, parley.Errorf(CodeUnknownKind, "kind %d is not the hotline's", k)
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	if err := body.Check(); err != nil {
		return nil, err
	}
	if !bytes.Equal(body.Encode(), b) {
		return nil, parley.Errorf(parley.CodeNotCanonical, "the body of kind %d does not re-encode to the same bytes", k)
	}
	return body, nil
}

// bidi reports the characters that change the direction of what follows. They
// can make a line read differently from what it says.
func bidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// checkLine checks a field of one line: at most max bytes, no control
// characters, no line breaks, nothing that turns the direction of text.
func checkLine(field, s string, max int) error {
	if err := checkUTF8(field, s, max); err != nil {
		return err
	}
	for _, r := range s {
		if unicode.IsControl(r) || bidi(r) || r == 0x2028 || r == 0x2029 || r == 0xfeff {
			return parley.Errorf(CodeCharacter, "%s contains the character %U", field, r)
		}
	}
	return nil
}

// checkProse checks a field of many lines: any script, newline and tab.
func checkProse(field, s string, max int) error {
	if err := checkUTF8(field, s, max); err != nil {
		return err
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return parley.Errorf(CodeCharacter, "%s contains the character %U", field, r)
		}
	}
	return nil
}

func checkUTF8(field, s string, max int) error {
	if len(s) > max {
		return parley.Errorf(parley.CodeLength, "%s has %d bytes; at most %d are allowed", field, len(s), max)
	}
	if !utf8.ValidString(s) {
		return parley.Errorf(parley.CodeUTF8, "%s is not valid UTF-8", field)
	}
	return nil
}

func checkMax[T ~uint8](field string, v, lo, hi T) error {
	if v < lo || v > hi {
		return parley.Errorf(parley.CodeOutOfRange, "%s %d is not %d to %d", field, v, lo, hi)
	}
	return nil
}

// checkSet checks a set of members inside a body: not empty, members 1 to 20.
func checkSet(code parley.Code, field string, a parley.Audience) error {
	if a == 0 || a&1 != 0 || a >= 1<<(parley.MaxParty+1) {
		return parley.Errorf(code, "%s %#x is not a set of members", field, uint32(a))
	}
	return nil
}

func everyone(c *parley.Charter) parley.Audience {
	return parley.AudienceOf(c.Others(0)...)
}

func decodeSet(d *parley.Decoder) parley.Audience {
	return parley.Audience(d.Uint(1<<(parley.MaxParty+1) - 1))
}

func appendOptRef(b []byte, r *parley.Ref) []byte {
	if r == nil {
		return parley.AppendNull(b)
	}
	return parley.AppendRef(b, *r)
}

func decodeOptRef(d *parley.Decoder) *parley.Ref {
	if d.Null() {
		return nil
	}
	r := d.Ref()
	return &r
}
