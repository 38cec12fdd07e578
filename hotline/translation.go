package hotline

import "parley"

// Translation is a text of the same content as a message in another language
// (kind 23). It stands beside the message and never in its place: whoever reads
// it sees the original with it, and the original is authoritative. It has no
// type, line or handling of its own; those are the original's.
//
// A translation is no answer. It opens, passes and acknowledges nothing.
type Translation struct {
	About      parley.Ref
	Language   string // BCP 47, of this text
	Status     Status // by the word of its author
	Text       string
	Subject    string // of the original in Language; may be empty
	Translator string // an office or agency, not a person; may be empty
}

// Kind is KindTranslation.
func (t *Translation) Kind() parley.Kind { return KindTranslation }

// fields counts the fields to encode: all up to the last that is not empty, at
// least four.
func (t *Translation) fields() int {
	switch {
	case t.Translator != "":
		return 6
	case t.Subject != "":
		return 5
	}
	return 4
}

// Encode is the canonical form.
func (t *Translation) Encode() []byte {
	n := t.fields()
	b := parley.AppendArray(make([]byte, 0, len(t.Text)+len(t.Subject)+96), n)
	b = parley.AppendText(parley.AppendRef(b, t.About), t.Language)
	b = parley.AppendText(parley.AppendUint(b, uint64(t.Status)), t.Text)
	if n > 4 {
		b = parley.AppendText(b, t.Subject)
	}
	if n > 5 {
		b = parley.AppendText(b, t.Translator)
	}
	return b
}

func decodeTranslation(d *parley.Decoder) *Translation {
	n := d.Array(4, 6)
	t := &Translation{About: d.Ref(), Language: d.Text(2, MaxLanguage), Status: Status(d.Uint(uint64(maxStatus))), Text: d.Text(1, MaxText)}
	if n > 4 {
		t.Subject = d.Text(0, MaxSubject)
	}
	if n > 5 {
		t.Translator = d.Text(0, MaxRole)
	}
	return t
}

// Check reports the rule that the translation alone breaks.
func (t *Translation) Check() error {
	if t.Text == "" {
		return parley.Errorf(parley.CodeLength, "the translation has no text")
	}
	for _, err := range []error{
		checkTag(t.Language),
		checkMax("status", t.Status, 0, maxStatus),
		checkProse("text of the translation", t.Text, MaxText),
		checkLine("subject", t.Subject, MaxSubject),
		checkLine("translator", t.Translator, MaxRole),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckIn has no rule: what the translation is about is not in its bytes, and
// where it does not fit it changes nothing. See Fit.
func (t *Translation) CheckIn(*parley.Charter, parley.Party, parley.Lane, parley.Audience) error {
	return nil
}
