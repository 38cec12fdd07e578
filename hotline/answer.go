package hotline

import "parley"

// Answer is what a member says about an entry (kind 2): a step the entry has
// come, or a short answer. An answer in words is a Text that is a Reply.
type Answer struct {
	About parley.Ref
	Code  Code
	Text  string // reason, paragraphs to repeat; may be empty
}

// Kind is KindAnswer.
func (a *Answer) Kind() parley.Kind { return KindAnswer }

// Light reports whether a draft is an answer that one officer gives where a
// message takes two: it says only what became of an entry, and adds no words.
func Light(p parley.Draft) bool {
	b, err := Parse(p.Kind, p.Body)
	a, is := b.(*Answer)
	return err == nil && is && a.Code.Light() && a.Text == ""
}

// Encode is the canonical form.
func (a *Answer) Encode() []byte {
	b := parley.AppendRef(parley.AppendArray(nil, 3), a.About)
	return parley.AppendText(parley.AppendUint(b, uint64(a.Code)), a.Text)
}

func decodeAnswer(d *parley.Decoder) *Answer {
	d.Array(3, 3)
	return &Answer{d.Ref(), Code(d.Uint(uint64(maxCode))), d.Text(0, MaxNote)}
}

// Check reports the rule that the answer alone breaks.
func (a *Answer) Check() error {
	if err := checkMax("answer", a.Code, 1, maxCode); err != nil {
		return err
	}
	return checkProse("text of the answer", a.Text, MaxNote)
}

// CheckIn has no rule: anybody may say anything about an entry. What it
// changes is the desk's to decide.
func (a *Answer) CheckIn(*parley.Charter, parley.Party, parley.Lane, parley.Audience) error {
	return nil
}
