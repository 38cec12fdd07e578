package spec

import (
	"encoding/hex"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The bytes that open the entry, charter and keys pages are those of their
// vectors.
func TestExamples(t *testing.T) {
	page := func(name string) string {
		b, err := fs.ReadFile(Pages(), name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	vector := func(name string) *Vector {
		b, err := fs.ReadFile(Pages(), "vectors/"+name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := ParseVector(name, b)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	// dump is the hexadecimal digits before the words of a page's first block.
	dump := func(text string) string {
		_, text, _ = strings.Cut(text, "```\n")
		text, _, _ = strings.Cut(text, "```")
		digits := regexp.MustCompile(`^(?:[0-9a-f]{2})+$`)
		var b strings.Builder
	lines:
		for _, line := range strings.Split(text, "\n") {
			for _, w := range strings.Fields(line) {
				if strings.HasSuffix(w, "...") {
					b.WriteString(strings.TrimSuffix(w, "..."))
					break lines
				}
				if !digits.MatchString(w) {
					break
				}
				b.WriteString(w)
			}
		}
		return b.String()
	}
	if got, want := dump(page("entry.md")), hex.EncodeToString(vector("entry/list.txt").Input); got != want {
		t.Errorf("entry.md shows\n%s, the vector is\n%s", got, want)
	}
	charter := vector("charter/two-members.txt")
	if got := dump(page("charter.md")); len(got) < 60 || !strings.HasPrefix(hex.EncodeToString(charter.Input), got) {
		t.Errorf("charter.md shows %s", got)
	}
	if !strings.Contains(page("charter.md"), charter.Params["channel"]) {
		t.Error("charter.md shows another channel")
	}
	salt := vector("keys/derive-salt.txt")
	for _, want := range []string{hex.EncodeToString(salt.Input), salt.Params["output"], `"parley/salt/1\n` + salt.Params["origin"] + `\n17"`} {
		if !strings.Contains(page("keys.md"), want) {
			t.Errorf("keys.md lacks %s", want)
		}
	}
}
