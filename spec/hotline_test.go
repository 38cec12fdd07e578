package spec

import (
	"encoding/hex"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parley"
	"parley/hotline"
)

// The hotline page's parameters: kind, and author, lane and to of the entry
// where they are not member 1, FLASH and all. The channel has four members.
func init() {
	runners["hotline"] = func(v *Vector) error {
		par := func(key string, def uint64) (uint64, error) {
			s, ok := v.Params[key]
			if !ok {
				return def, nil
			}
			return strconv.ParseUint(s, 10, 32)
		}
		kind, err := par("kind", 0)
		if err != nil {
			return err
		}
		author, err := par("author", 1)
		if err != nil {
			return err
		}
		lane, err := par("lane", 0)
		if err != nil {
			return err
		}
		to, err := par("to", 0)
		if err != nil {
			return err
		}
		c := &parley.Charter{}
		for i := range 4 {
			c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1)})
		}
		b, err := hotline.Parse(parley.Kind(kind), v.Input)
		if err != nil {
			return err
		}
		return b.CheckIn(c, parley.Party(author), parley.Lane(lane), parley.Audience(to))
	}
}

// The messages that open the page are those of its vectors.
func TestHotlineExamples(t *testing.T) {
	page, err := fs.ReadFile(Pages(), "hotline.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```\n")
	digits := regexp.MustCompile(`^([0-9a-f]{2})+$`)
	for i, name := range map[int]string{1: "text", 3: "answer-opened"} {
		b, err := fs.ReadFile(Pages(), "vectors/hotline/"+name+".txt")
		if err != nil {
			t.Fatal(err)
		}
		v, err := ParseVector(name, b)
		if err != nil {
			t.Fatal(err)
		}
		want := hex.EncodeToString(v.Input)
		for _, line := range strings.Split(blocks[i], "\n") {
			for _, w := range strings.Fields(line) {
				first, last, cut := strings.Cut(w, "...")
				if !digits.MatchString(first) {
					break
				}
				var ok bool
				if want, ok = strings.CutPrefix(want, first); !ok {
					t.Fatalf("%s: the page shows %s where the vector goes on with %s", name, first, want)
				}
				if cut {
					_, want, _ = strings.Cut(want, last)
				}
			}
		}
		if want != "" {
			t.Errorf("%s: the page leaves out %s", name, want)
		}
	}
}
