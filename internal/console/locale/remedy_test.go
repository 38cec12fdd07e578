package locale_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"parley"
	_ "parley/internal/console" // registers the codes that officers meet
)

// What the catalogue translates as the remedy of an error code is that remedy:
// a code that is gone, or another wording, is found here.
func TestRemediesAreThoseOfTheCodes(t *testing.T) {
	b, err := os.ReadFile("catalogues/en-errors.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Approved map[string]string `json:"approved"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Approved) < 40 {
		t.Errorf("%d remedies are translated", len(f.Approved))
	}
	for key, text := range f.Approved {
		code := parley.Code(strings.TrimPrefix(key, "error."))
		if got := code.Remedy(); got != text {
			t.Errorf("%s: the code's remedy is %q, the catalogue has %q", key, got, text)
		}
	}
}
