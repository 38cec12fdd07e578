package parley

import (
	"bytes"
	"testing"

	"parley/spec"
)

// seeds gives a fuzz test the inputs of a page's vectors.
func seeds(f *testing.F, page, param, value string) {
	vs, err := spec.Vectors()
	if err != nil {
		f.Fatal(err)
	}
	n := 0
	for _, v := range vs {
		if v.Page == page && (param == "" || v.Params[param] == value) {
			f.Add(v.Input)
			n++
		}
	}
	if n == 0 {
		f.Fatalf("no vectors of page %s", page)
	}
}

// malleable reports an input that is accepted and comes back otherwise.
func malleable(t *testing.T, in, out []byte) {
	t.Helper()
	if !bytes.Equal(in, out) {
		t.Errorf("%x\nis read and written as\n%x", in, out)
	}
}

func FuzzMalleabilityEntry(f *testing.F) {
	seeds(f, "entry", "", "")
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEntry(b)
		if err != nil {
			if CodeOf(err).Remedy() == "" {
				t.Errorf("%v has no remedy", err)
			}
			return
		}
		malleable(t, b, e.Encode())
		for lane := range Lane(Lanes) {
			e.Check(lane)
		}
		bodyAgain(t, e)
	})
}

// bodyAgain re-encodes the body of a known kind.
func bodyAgain(t *testing.T, e *Entry) {
	if e.CheckBody() != nil {
		return
	}
	var out []byte
	switch e.Kind {
	case KindList:
		x, _ := ParseList(e.Body)
		out = x.Encode()
	case KindNotice:
		x, _ := ParseNotice(e.Body)
		out = x.Encode()
	case KindGeneration:
		x, _ := ParseGeneration(e.Body)
		out = x.Encode()
	case KindClosing:
		x, _ := ParseClosing(e.Body)
		out = x.Encode()
	case KindKeys:
		x, _ := ParseKeysBody(e.Body)
		out = x.Encode()
	case KindRootKeys:
		x, _ := ParseRootKeys(e.Body)
		out = AppendRootKeys(nil, x)
	case KindOpening:
		x, _, _ := ParseOpening(e.Body)
		out = x.Encode()
	default:
		return
	}
	malleable(t, e.Body, out)
}

func TestEntryTooLarge(t *testing.T) {
	e := Entry{Kind: 40}
	e.Body = make([]byte, MaxEntry-len(e.Encode())-4)
	b := e.Encode()
	if len(b) != MaxEntry {
		t.Fatalf("an entry of %d bytes", len(b))
	}
	if _, err := ParseEntry(b); err != nil {
		t.Errorf("an entry of %d bytes: %v", len(b), err)
	}
	e.Body = append(e.Body, 0)
	if _, err := ParseEntry(e.Encode()); CodeOf(err) != CodeTooLarge {
		t.Errorf("one byte more: %v", err)
	}
}

func TestRefNames(t *testing.T) {
	r := Ref{Party: 2, Lane: Flash, Gen: Gen{0xaa, 7: 0xbb}, Index: 17}
	if r.String() != "2/FLASH/17" || r.Long() != "2/FLASH/aa000000000000bb/17" {
		t.Errorf("%s, %s", r, r.Long())
	}
}
