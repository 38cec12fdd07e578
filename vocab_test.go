package parley

import (
	"strings"
	"testing"
)

var testLog = LogID{Channel: Hash{0xab, 31: 0xcd}, Party: 12, Lane: Deferred, Gen: Gen{1, 2, 3, 4, 5, 6, 7, 0xff}}

func TestOrigin(t *testing.T) {
	want := "parley/ab" + strings.Repeat("00", 30) + "cd/12/4/01020304050607ff"
	if got := testLog.Origin(); got != want {
		t.Fatalf("origin %s, want %s", got, want)
	}
	if len(want) > 93 {
		t.Errorf("an origin of %d bytes; the specification promises 93", len(want))
	}
	if got, err := ParseOrigin(want); err != nil || got != testLog {
		t.Fatalf("%v, %v", got, err)
	}
	for name, s := range map[string]string{
		"empty":         "",
		"other log":     "go.sum database tree",
		"upper case":    strings.Replace(want, "/ab", "/AB", 1),
		"short channel": strings.Replace(want, "/ab", "/", 1),
		"not hex":       strings.Replace(want, "/ab", "/xy", 1),
		"party 0":       strings.Replace(want, "/12/", "/0/", 1),
		"party 21":      strings.Replace(want, "/12/", "/21/", 1),
		"party 012":     strings.Replace(want, "/12/", "/012/", 1),
		"party +12":     strings.Replace(want, "/12/", "/+12/", 1),
		"lane 5":        strings.Replace(want, "/4/", "/5/", 1),
		"lane 04":       strings.Replace(want, "/4/", "/04/", 1),
		"lane empty":    strings.Replace(want, "/4/", "//", 1),
		"short gen":     want[:len(want)-1],
		"upper gen":     strings.Replace(want, "ff", "FF", 1),
		"slash":         want + "/",
		"space":         want + " ",
		"newline":       want + "\n",
		"other scheme":  strings.Replace(want, "parley", "Parley", 1),
	} {
		if _, err := ParseOrigin(s); CodeOf(err) != CodeOrigin {
			t.Errorf("%s: %q: %v", name, s, err)
		}
	}
}

func TestAudience(t *testing.T) {
	c := &Charter{Members: []Member{{Index: 1}, {Index: 2}, {Index: 3}}}
	for _, tt := range []struct {
		a    Audience
		form bool // Check allows it
		in   bool // CheckIn allows it for an entry of member 1
	}{
		{ToAll, true, true},
		{ToNobody, true, true},
		{AudienceOf(2), true, true},
		{AudienceOf(3), true, true},
		{AudienceOf(2, 3), true, false},
		{AudienceOf(1), true, false},
		{AudienceOf(1, 2), true, false},
		{AudienceOf(4), true, false},
		{AudienceOf(20), true, false},
		{AudienceOf(2) | 1, false, false},
		{AudienceOf(21), false, false},
		{1 << 31, false, false},
	} {
		if err := tt.a.Check(); (err == nil) != tt.form || err != nil && CodeOf(err) != CodeAudience {
			t.Errorf("Check of %#x: %v", uint32(tt.a), err)
		}
		if err := tt.a.CheckIn(c, 1); (err == nil) != tt.in || err != nil && CodeOf(err) != CodeAudience {
			t.Errorf("CheckIn of %#x: %v", uint32(tt.a), err)
		}
	}
	two := &Charter{Members: c.Members[:2]}
	if err := AudienceOf(2).CheckIn(two, 1); CodeOf(err) != CodeAudience {
		t.Errorf("the only other member by name: %v", err)
	}
	a := AudienceOf(3, 20)
	if ps := a.Parties(); len(ps) != 2 || ps[0] != 3 || ps[1] != 20 {
		t.Errorf("parties %v", ps)
	}
	if !a.Includes(20) || a.Includes(2) || ToNobody.Includes(1) || ToNobody.Includes(0) || !ToAll.Includes(7) {
		t.Error("Includes is wrong")
	}
}

func TestNames(t *testing.T) {
	for l := range Lane(Lanes) {
		if got, err := ParseLane(strings.ToLower(l.String())); err != nil || got != l {
			t.Errorf("lane %d: %v, %v", l, got, err)
		}
	}
	for r := range Role(3) {
		if got, err := ParseRole(r.String()); err != nil || got != r {
			t.Errorf("role %d: %v, %v", r, got, err)
		}
	}
	if _, err := ParseLane("URGENT"); err == nil {
		t.Error("there is no lane URGENT")
	}
	if _, err := ParseRole(""); err == nil {
		t.Error("there is no role without a name")
	}
	if !Priority.Urgent() || Routine.Urgent() {
		t.Error("the urgent connection carries lanes 0 to 2")
	}
}
