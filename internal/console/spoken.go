package console

import (
	"strings"

	"parley/seal"
)

// Spoken is a digest as two officers compare it by voice: the first four and
// the last four of its sixteen words. Whoever wants another text with the same
// eight words must try 2^128 times; whoever may choose both texts, 2^64 times.
// The digest stands beside it whole.
type Spoken struct{ First, Last string }

// spokenWords is how many words there are of each end.
const spokenWords = 4

// Words are the draft's digest for reading aloud.
func (m CheckedMessage) Words() Spoken {
	h, err := parseHash(strings.Join(m.Digest, ""))
	if err != nil {
		return Spoken{}
	}
	words := strings.Fields(seal.Words(h[:len(h)/2]) + " " + seal.Words(h[len(h)/2:]))
	return Spoken{strings.Join(words[:spokenWords], " "), strings.Join(words[len(words)-spokenWords:], " ")}
}
