package parley

import (
	"strings"
	"testing"
)

func TestQuorumMet(t *testing.T) {
	c := &Charter{Witnesses: []Witness{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}}}
	for _, tt := range []struct {
		rule string
		met  string // sets that satisfy it
		not  string // sets that do not
	}{
		{"quorum none\n", "- a abcd", ""},
		{"quorum a\n", "a abcd", "- b bcd"},
		{"group g any a b\nquorum g\n", "a b ab", "- c cd"},
		{"group g all a b\nquorum g\n", "ab abc", "- a b acd"},
		{"group g 2 a b c\nquorum g\n", "ab bc abc", "- a ad cd"},
		{"group x any a b\ngroup y any c d\ngroup both all x y\nquorum both\n", "ac bd abcd", "- ab cd"},
		{"group x all a b\ngroup or any x c\nquorum or\n", "c ab abc", "- a b bd"},
		{"group unused any b\nquorum a\n", "a", "b"},
	} {
		c.Rules.Quorum = tt.rule
		q, err := c.Quorum()
		if err != nil {
			t.Errorf("%q: %v", tt.rule, err)
			continue
		}
		for want, sets := range map[bool]string{true: tt.met, false: tt.not} {
			for _, set := range strings.Fields(sets) {
				if q.Met(func(w string) bool { return strings.Contains(set, w) }) != want {
					t.Errorf("%q with %s: met is not %v", tt.rule, set, want)
				}
			}
		}
		if q.None() != (tt.rule == "quorum none\n") {
			t.Errorf("%q: None", tt.rule)
		}
	}
}

// A witness called none would make "quorum none" mean two things.
func TestQuorumNone(t *testing.T) {
	v := vector(t, "charter/witness-none")
	if _, err := ParseCharter(v.Input); CodeOf(err) != CodeName {
		t.Errorf("a witness called none: %v", err)
	}
}
