package console

import (
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// What drafter and releaser read to each other is the same on both pages, and
// stands for the begin and the end of the digest of exactly these bytes.
func TestWordsOfADraft(t *testing.T) {
	a, _ := pair(t)
	form := url.Values{"lane": {"FLASH"}, "type": {"exercise"}, "line": {"0"}, "to-2": {"action"}, "subject": {"S"}, "text": {"EXERCISE. One."}, "do": {"check"}}
	checked := a.ask("both", "POST", "/compose", form).Body.String()
	form.Set("do", "keep")
	kept := a.ask("both", "POST", "/compose", form).Header().Get("Location")
	hex1, words := wordsOf(t, checked)
	hex2, again := wordsOf(t, a.get("other", kept))
	if hex1 != hex2 || words != again {
		t.Errorf("the check page says %s %q, the draft's page to its releaser %s %q", hex1, words, hex2, again)
	}
	if got := hex.EncodeToString(fromWords(t, words)); got != hex1[:16]+hex1[48:] {
		t.Errorf("the words %q are %s, the digest is %s", words, got, hex1)
	}
	form.Set("text", "EXERCISE. Two.")
	form.Set("do", "check")
	if _, other := wordsOf(t, a.ask("both", "POST", "/compose", form).Body.String()); other == words {
		t.Error("another text has the same words")
	}
}

var (
	digestShown = regexp.MustCompile(`<dd class="mono"><bdi dir="ltr">((?:[0-9a-f]{4} ){16})</bdi>`)
	wordsShown  = regexp.MustCompile(`class="aloud"><bdi dir="ltr" translate="no"><b>([a-z ]+)</b> … <b>([a-z ]+)</b>`)
)

func wordsOf(t *testing.T, page string) (digest, words string) {
	t.Helper()
	d, w := digestShown.FindStringSubmatch(page), wordsShown.FindStringSubmatch(page)
	if d == nil || w == nil {
		t.Fatalf("no digest with words on the page: %s", page)
	}
	return strings.ReplaceAll(d[1], " ", ""), w[1] + " " + w[2]
}

// fromWords reads words of the alphabet of proquints (Wilkerson 2009).
func fromWords(t *testing.T, words string) (out []byte) {
	t.Helper()
	for _, w := range strings.Fields(words) {
		v := 0
		for i, c := range w {
			alphabet, bits := "bdfghjklmnprstvz", 4
			if i%2 == 1 {
				alphabet, bits = "aiou", 2
			}
			n := strings.IndexRune(alphabet, c)
			if n < 0 || len(w) != 5 {
				t.Fatalf("%q is no word", w)
			}
			v = v<<bits | n
		}
		out = append(out, byte(v>>8), byte(v))
	}
	return out
}
