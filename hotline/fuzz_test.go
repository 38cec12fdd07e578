package hotline

import (
	"strings"
	"testing"

	"parley"
	"parley/internal/mutate"
	"parley/spec"
)

// FuzzBody has the kind in the first byte. What is accepted is written again
// byte for byte, and a desk survives it.
func FuzzBody(f *testing.F) {
	var in [][]byte
	for _, b := range bodies() {
		in = append(in, append([]byte{byte(b.Kind())}, b.Encode()...))
	}
	vs, err := spec.Vectors()
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range vs {
		kinds := map[string]byte{"1": 1, "2": 2, "20": 20, "21": 21, "22": 22, "23": 23}
		if k, ok := kinds[v.Params["kind"]]; v.Page == "hotline" && ok {
			in = append(in, append([]byte{k}, v.Input...))
		}
	}
	runs := 0
	mutate.FuzzIn(f, in, 1, func(t testing.TB, b []byte) bool {
		if len(b) == 0 {
			return false
		}
		kind := parley.Kind(b[0])
		x, err := Parse(kind, b[1:])
		if err != nil && parley.CodeOf(err).Remedy() == "" {
			t.Errorf("%v has no remedy\ninput: %x", err, b)
		}
		if !mutate.Same(t, b[1:], err, func() []byte { return x.Encode() }) {
			return false
		}
		if runs++; runs%64 == 0 { // the desk takes far longer than the decoder
			deskSurvives(kind, b[1:])
		}
		return true
	})
}

func deskSurvives(kind parley.Kind, body []byte) {
	d := New(testCharter(), india)
	d.Apply(parley.Posted{Ref: *ref(pakistan, 0), Entry: &parley.Entry{Kind: kind, Body: body}})
	d.Apply(parley.Posted{Ref: *ref(pakistan, 1), Entry: &parley.Entry{Kind: KindAnswer,
		Body: (&Answer{*ref(pakistan, 0), Wilco, ""}).Encode()}})
	d.Apply(parley.Posted{Ref: *ref(india, 0), Entry: &parley.Entry{Kind: KindTranslation,
		Body: (&Translation{About: *ref(pakistan, 0), Language: "ur", Text: "x"}).Encode()}})
	now := clock("2025-05-10T03:45Z")
	d.Due(now)
	d.Lines(now)
	d.Messages(Filter{})
	d.Unplaced()
	for r := range d.records {
		d.TranslationOf(r)
	}
	_ = d.Dump()
}

// FuzzDesk has a kind in the first byte of every body: whatever entries a desk
// is given, it neither ends nor hangs.
func FuzzDesk(f *testing.F) {
	var in [][]byte
	for _, b := range bodies() {
		in = append(in, append([]byte{byte(b.Kind())}, b.Encode()...))
	}
	mutate.FuzzIn(f, in, 1, func(t testing.TB, b []byte) bool {
		if len(b) == 0 {
			return false
		}
		if _, err := Parse(parley.Kind(b[0]), b[1:]); err != nil {
			return false
		}
		deskSurvives(parley.Kind(b[0]), b[1:])
		return true
	})
}

// FuzzWords: every word of the vocabulary is read as what is printed so.
func FuzzWords(f *testing.F) {
	in := [][]byte{[]byte("operation"), []byte("roger"), []byte("no-answer"), []byte("this channel"), []byte("mediator-only")}
	words := map[string]func(string) (string, error){
		"type":     func(s string) (string, error) { x, err := ParseType(s); return x.String(), err },
		"ack":      func(s string) (string, error) { x, err := ParseAck(s); return x.String(), err },
		"handling": func(s string) (string, error) { x, err := ParseHandling(s); return x.String(), err },
		"relation": func(s string) (string, error) { x, err := ParseRelation(s); return x.String(), err },
		"answer":   func(s string) (string, error) { x, err := ParseCode(s); return x.String(), err },
		"outcome":  func(s string) (string, error) { x, err := ParseOutcome(s); return x.String(), err },
		"ask":      func(s string) (string, error) { x, err := ParseAsk(s); return x.String(), err },
		"status":   func(s string) (string, error) { x, err := ParseStatus(s); return x.String(), err },
		"medium":   func(s string) (string, error) { x, err := ParseMedium(s); return x.String(), err },
	}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) (some bool) {
		for what, read := range words {
			again, err := read(string(b))
			if err == nil && !strings.EqualFold(again, string(b)) {
				t.Errorf("%s: %q is read as %q", what, b, again)
			}
			some = some || err == nil
		}
		return some
	})
}
