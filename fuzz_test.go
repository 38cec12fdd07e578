package parley

import (
	"bytes"
	"testing"

	"parley/internal/mutate"
	"parley/spec"
)

// Every decoder of this package: what it accepts, it writes again byte for
// byte, and what it refuses has a code with a remedy.

// seeds are the inputs of a page's vectors with that parameter.
func seeds(f *testing.F, page, param, value string) (out [][]byte) {
	vs, err := spec.Vectors()
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range vs {
		if v.Page == page && (param == "" || v.Params[param] == value) {
			out = append(out, v.Input)
		}
	}
	if len(out) == 0 {
		f.Fatalf("no vectors of page %s", page)
	}
	return out
}

// accepts is the property of every decoder here.
func accepts(t testing.TB, b []byte, err error, encode func() []byte) bool {
	t.Helper()
	if err != nil && CodeOf(err).Remedy() == "" {
		t.Errorf("%v has no remedy\ninput: %x", err, b)
	}
	return mutate.Same(t, b, err, encode)
}

func FuzzEntry(f *testing.F) {
	mutate.Fuzz(f, seeds(f, "entry", "", ""), func(t testing.TB, b []byte) bool {
		e, err := ParseEntry(b)
		if !accepts(t, b, err, func() []byte { return e.Encode() }) {
			return false
		}
		for lane := range Lane(Lanes) {
			e.Check(lane)
		}
		e.CheckBody()
		Diagnostic(e.Body)
		return true
	})
}

// FuzzBody has the kind in the first byte.
func FuzzBody(f *testing.F) {
	var in [][]byte
	for _, b := range seeds(f, "entry", "", "") {
		if e, err := ParseEntry(b); err == nil {
			in = append(in, append([]byte{byte(e.Kind)}, e.Body...))
		}
	}
	for _, b := range seeds(f, "keys", "op", "keys") {
		in = append(in, append([]byte{byte(KindKeys)}, b...))
	}
	for _, b := range seeds(f, "keys", "op", "rootkeys") {
		in = append(in, append([]byte{byte(KindRootKeys)}, b...))
	}
	mutate.FuzzIn(f, in, 1, func(t testing.TB, b []byte) bool {
		if len(b) == 0 {
			return false
		}
		again, err := bodyAgain(Kind(b[0]), b[1:])
		return accepts(t, b[1:], err, func() []byte { return again })
	})
}

// bodyAgain reads and writes the body of a kind.
func bodyAgain(k Kind, b []byte) ([]byte, error) {
	switch k {
	case KindList:
		x, err := ParseList(b)
		return encoded(x, err)
	case KindNotice:
		x, err := ParseNotice(b)
		return encoded(x, err)
	case KindGeneration:
		x, err := ParseGeneration(b)
		return encoded(x, err)
	case KindClosing:
		x, err := ParseClosing(b)
		return encoded(x, err)
	case KindKeys:
		x, err := ParseKeysBody(b)
		return encoded(x, err)
	case KindOpening:
		x, inner, err := ParseOpening(b)
		if err == nil && !bytes.Equal(inner.Encode(), x.Entry) {
			return inner.Encode(), nil
		}
		return encoded(x, err)
	case KindRootKeys:
		x, err := ParseRootKeys(b)
		if err != nil {
			return nil, err
		}
		return AppendRootKeys(nil, x), nil
	}
	return b, nil
}

func encoded(x interface{ Encode() []byte }, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return x.Encode(), nil
}

// FuzzCharter reaches the signatures of possession only where the form holds.
func FuzzCharter(f *testing.F) {
	mutate.Fuzz(f, seeds(f, "charter", "form", "charter"), func(t testing.TB, b []byte) bool {
		c, err := ParseCharter(b)
		return accepts(t, b, err, func() []byte { return c.Encode() })
	})
}

func FuzzSignedCharter(f *testing.F) {
	mutate.Fuzz(f, seeds(f, "charter", "form", "signed"), func(t testing.TB, b []byte) bool {
		s, c, err := ParseSignedCharter(b)
		if !accepts(t, b, err, func() []byte { return s.Encode() }) {
			return false
		}
		if !bytes.Equal(s.Charter, c.Encode()) || s.Channel() != c.Channel() {
			t.Error("two channels of one charter")
		}
		return true
	})
}

// FuzzQuorum has a quorum's text; its witnesses are three.
func FuzzQuorum(f *testing.F) {
	in := [][]byte{[]byte("quorum none\n"), []byte("quorum north\n"), []byte("group some 2 north south sea\nquorum some\n"),
		[]byte("group a any north south\ngroup b all a sea\nquorum b\n")}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		c := &Charter{Witnesses: []Witness{{Name: "north"}, {Name: "south"}, {Name: "sea"}}, Rules: Rules{Quorum: string(b)}}
		q, err := c.Quorum()
		if !accepts(t, b, err, func() []byte { return b }) {
			return false
		}
		all := map[string]bool{"north": true, "south": true, "sea": true}
		if !q.Met(func(name string) bool { return all[name] }) {
			t.Errorf("all witnesses do not meet %q", b)
		}
		if none := q.Met(func(string) bool { return false }); none != q.None() {
			t.Errorf("no witness meets %q", b)
		}
		return true
	})
}

func FuzzOrigin(f *testing.F) {
	mutate.Fuzz(f, [][]byte{[]byte(testLog.Origin()), []byte("parley/")}, func(t testing.TB, b []byte) bool {
		l, err := ParseOrigin(string(b))
		return accepts(t, b, err, func() []byte { return []byte(l.Origin()) })
	})
}

// FuzzWords: a lane or a role in words is read as what is written so, however
// its letters are cased.
func FuzzWords(f *testing.F) {
	in := [][]byte{[]byte("FLASH"), []byte("immediate"), []byte("party"), []byte("Mediator"), []byte("observer")}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		l, err := ParseLane(string(b))
		if err == nil && !bytes.EqualFold([]byte(l.String()), b) {
			t.Errorf("%q is read as lane %s", b, l)
		}
		r, err2 := ParseRole(string(b))
		if err2 == nil && !bytes.EqualFold([]byte(r.String()), b) {
			t.Errorf("%q is read as role %s", b, r)
		}
		return err == nil || err2 == nil
	})
}
