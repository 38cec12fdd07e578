package spec

import (
	"encoding/hex"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parley"
	"parley/release"
)

// The release page's parameters: see its section on vectors.
func init() { runners["release"] = runRelease }

func runRelease(v *Vector) error {
	number := func(key string, def uint64) uint64 {
		if n, err := strconv.ParseUint(v.Params[key], 10, 32); err == nil {
			return n
		}
		return def
	}
	bytes := func(key string) []byte { b, _ := hex.DecodeString(v.Params[key]); return b }
	hash := func(key string) (h parley.Hash) { copy(h[:], bytes(key)); return }
	author, to := parley.Party(number("author", 1)), parley.Audience(number("to", 0))
	if v.Params["op"] == "digest" {
		d := release.Digest(parley.Draft{Lane: parley.Lane(number("lane", 0)), Kind: parley.Kind(number("kind", 1)), To: to, Body: v.Input})
		c := release.Challenge(hash("channel"), author, release.Step(number("step", 1)), hash("nonce"), d)
		if d != hash("digest") || c != hash("challenge") {
			return parley.Errorf("output-differs", "digest %s, challenge %s", d, c)
		}
		return nil
	}
	kind := parley.Kind(number("kind", 0))
	lane := parley.Lane(number("lane", map[parley.Kind]uint64{release.KindRoster: 3}[kind]))
	b, err := release.Parse(kind, v.Input)
	if err != nil {
		return err
	}
	if err := b.CheckIn(author, lane, to); err != nil || kind == release.KindRoster {
		return err
	}
	x, err := release.Parse(release.KindRoster, bytes("roster"))
	if err != nil {
		return err
	}
	draft := parley.Draft{Lane: lane, Kind: parley.KindText, To: to, Body: bytes("body")}
	_, _, err = b.(*release.Release).Verify(x.(*release.Roster), hash("channel"), author, draft)
	return err
}

// The roster and the release that open the page are those of its vectors.
func TestReleaseExamples(t *testing.T) {
	page, err := fs.ReadFile(Pages(), "release.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```\n")
	digits := regexp.MustCompile(`^([0-9a-f]{2})+$`)
	for i, name := range map[int]string{1: "roster", 3: "release"} {
		b, err := fs.ReadFile(Pages(), "vectors/release/"+name+".txt")
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
					if _, want, ok = strings.Cut(want, last); !ok {
						t.Fatalf("%s: the page shows %s, which the vector lacks", name, w)
					}
				}
			}
		}
		if want != "" {
			t.Errorf("%s: the page leaves out %s", name, want)
		}
	}
}
