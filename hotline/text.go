package hotline

import (
	"parley"
)

// Text is a message (kind 1, spec/hotline.md section 2). Its precedence is the
// lane it stands in. Its encoding ends at the last field that is not empty, so
// a short message in plain form costs five bytes over its text.
type Text struct {
	Type        Type
	Line        uint8 // number of the line it belongs to, 0 none
	Text        string
	Subject     string
	Ack         Ack
	ReplyBy     uint64          // seconds since 1970, 0 none
	Relation    Relation        // to About
	About       *parley.Ref     // nil exactly if Unrelated
	Paragraphs  []uint16        // corrected paragraphs, ascending; only with Corrects
	Info        parley.Audience // readers for information; all other readers are for action
	InfoLane    parley.Lane     // precedence for them; 0 if Info is empty
	Citations   []Citation      // lettered references A to Z
	Handling    Handling
	Language    string // BCP 47, empty if not stated
	Governs     bool   // the text in Language prevails over any translation
	Reservation string // "without prejudice" text
	Drafter     string // names of roles, not of persons
	Releaser    string
}

// Citation is a lettered reference: an entry, words, or both.
type Citation struct {
	Ref  *parley.Ref
	Note string
}

// Kind is KindText.
func (t *Text) Kind() parley.Kind { return KindText }

// fields counts the fields to encode: all up to the last that is not empty,
// at least type, line and text.
func (t *Text) fields() int {
	switch {
	case t.Drafter != "" || t.Releaser != "":
		return 13
	case t.Reservation != "":
		return 12
	case t.Language != "" || t.Governs:
		return 11
	case t.Handling != 0:
		return 10
	case len(t.Citations) > 0:
		return 9
	case t.Info != 0 || t.InfoLane != 0:
		return 8
	case t.Relation != 0 || t.About != nil:
		return 7
	case t.ReplyBy != 0:
		return 6
	case t.Ack != 0:
		return 5
	case t.Subject != "":
		return 4
	}
	return 3
}

// Encode is the canonical form.
func (t *Text) Encode() []byte {
	n := t.fields()
	b := parley.AppendArray(make([]byte, 0, len(t.Text)+len(t.Subject)+16), n)
	b = parley.AppendUint(b, uint64(t.Type))
	b = parley.AppendUint(b, uint64(t.Line))
	b = parley.AppendText(b, t.Text)
	for i := 3; i < n; i++ {
		switch i {
		case 3:
			b = parley.AppendText(b, t.Subject)
		case 4:
			b = parley.AppendUint(b, uint64(t.Ack))
		case 5:
			b = parley.AppendUint(b, t.ReplyBy)
		case 6:
			b = t.appendRelation(b)
		case 7:
			b = t.appendInfo(b)
		case 8:
			b = t.appendCitations(b)
		case 9:
			b = parley.AppendUint(b, uint64(t.Handling))
		case 10:
			b = t.appendLanguage(b)
		case 11:
			b = parley.AppendText(b, t.Reservation)
		case 12:
			b = t.appendRoles(b)
		}
	}
	return b
}

func (t *Text) appendRelation(b []byte) []byte {
	if t.Relation == Unrelated || t.About == nil {
		return parley.AppendNull(b)
	}
	b = parley.AppendUint(parley.AppendArray(b, 3), uint64(t.Relation))
	b = parley.AppendRef(b, *t.About)
	b = parley.AppendArray(b, len(t.Paragraphs))
	for _, p := range t.Paragraphs {
		b = parley.AppendUint(b, uint64(p))
	}
	return b
}

func (t *Text) appendInfo(b []byte) []byte {
	if t.Info == 0 {
		return parley.AppendNull(b)
	}
	b = parley.AppendUint(parley.AppendArray(b, 2), uint64(t.Info))
	return parley.AppendUint(b, uint64(t.InfoLane))
}

func (t *Text) appendCitations(b []byte) []byte {
	b = parley.AppendArray(b, len(t.Citations))
	for _, c := range t.Citations {
		b = parley.AppendText(appendOptRef(parley.AppendArray(b, 2), c.Ref), c.Note)
	}
	return b
}

func (t *Text) appendLanguage(b []byte) []byte {
	if t.Language == "" {
		return parley.AppendNull(b)
	}
	g := uint64(0)
	if t.Governs {
		g = 1
	}
	return parley.AppendUint(parley.AppendText(parley.AppendArray(b, 2), t.Language), g)
}

func (t *Text) appendRoles(b []byte) []byte {
	if t.Drafter == "" && t.Releaser == "" {
		return parley.AppendNull(b)
	}
	return parley.AppendText(parley.AppendText(parley.AppendArray(b, 2), t.Drafter), t.Releaser)
}

func decodeText(d *parley.Decoder) *Text {
	t := &Text{}
	n := d.Array(3, 13)
	t.Type = Type(d.Uint(uint64(maxType)))
	t.Line = uint8(d.Uint(MaxLine))
	t.Text = d.Text(0, MaxText)
	for i := 3; i < n; i++ {
		switch i {
		case 3:
			t.Subject = d.Text(0, MaxSubject)
		case 4:
			t.Ack = Ack(d.Uint(uint64(maxAck)))
		case 5:
			t.ReplyBy = d.Uint(parley.MaxUint)
		case 6:
			t.decodeRelation(d)
		case 7:
			t.decodeInfo(d)
		case 8:
			t.decodeCitations(d)
		case 9:
			t.Handling = Handling(d.Uint(uint64(maxHandling)))
		case 10:
			t.decodeLanguage(d)
		case 11:
			t.Reservation = d.Text(0, MaxReservation)
		case 12:
			t.decodeRoles(d)
		}
	}
	return t
}

func (t *Text) decodeRelation(d *parley.Decoder) {
	if d.Null() {
		return
	}
	d.Array(3, 3)
	t.Relation = Relation(d.Uint(uint64(maxRel)))
	r := d.Ref()
	t.About = &r
	for range d.Array(0, MaxParagraphs) {
		t.Paragraphs = append(t.Paragraphs, uint16(d.Uint(MaxParagraph)))
	}
}

func (t *Text) decodeInfo(d *parley.Decoder) {
	if d.Null() {
		return
	}
	d.Array(2, 2)
	t.Info = decodeSet(d)
	t.InfoLane = parley.Lane(d.Uint(parley.Lanes - 1))
	if d.Err() == nil && t.Info == 0 {
		d.Fail(parley.Errorf(CodeInfo, "an empty set of info addressees; that is written null"))
	}
}

func (t *Text) decodeCitations(d *parley.Decoder) {
	for range d.Array(0, MaxCitations) {
		d.Array(2, 2)
		t.Citations = append(t.Citations, Citation{decodeOptRef(d), d.Text(0, MaxCitation)})
	}
}

func (t *Text) decodeLanguage(d *parley.Decoder) {
	if d.Null() {
		return
	}
	d.Array(2, 2)
	t.Language = d.Text(2, MaxLanguage)
	t.Governs = d.Uint(1) == 1
}

func (t *Text) decodeRoles(d *parley.Decoder) {
	if d.Null() {
		return
	}
	d.Array(2, 2)
	t.Drafter = d.Text(0, MaxRole)
	t.Releaser = d.Text(0, MaxRole)
	if d.Err() == nil && t.Drafter == "" && t.Releaser == "" {
		d.Fail(parley.Errorf(CodeRoles, "neither drafter nor releaser is named; that is written null"))
	}
}
