package release

import (
	"bytes"

	"parley"
)

// maxDepth is the deepest nesting of a body: roster, keys, key.
const maxDepth = 3

// Body is what an entry of this desk says: *Roster or *Release.
type Body interface {
	Kind() parley.Kind
	// Encode is the canonical form.
	Encode() []byte
	// Check reports the rule that the body alone breaks.
	Check() error
	// CheckIn reports the rule that the body breaks as an entry in a lane,
	// addressed to to.
	CheckIn(author parley.Party, lane parley.Lane, to parley.Audience) error
}

// Draft makes a draft of a body. Whether it may be posted is Desk.Check's to
// say.
func Draft(b Body, lane parley.Lane, to parley.Audience) parley.Draft {
	return parley.Draft{Lane: lane, Kind: b.Kind(), To: to, Body: b.Encode()}
}

// Parse reads the body of an entry of kind k: the one canonical form, every
// rule of Check included. No signature is looked at.
func Parse(k parley.Kind, b []byte) (Body, error) {
	d := parley.NewDecoder(b, maxDepth)
	var body Body
	switch k {
	case KindRoster:
		body = decodeRoster(d)
	case KindRelease:
		body = decodeRelease(d)
	default:
		return nil, parley.Errorf(parley.CodeOutOfRange, "kind %d is not the release desk's", k)
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
