package parley_test

import (
	"strings"
	"testing"
)

// Every requirement of the console's security table has tests that exist, or
// says why it has none.
func TestASVSHasTests(t *testing.T) {
	const doc = "docs/asvs.md"
	have, rows, covered := tests(t), 0, 0
	table(t, doc, func(line int, cells []string) {
		if len(cells) != 4 {
			t.Errorf("%s:%d: a row of %d cells, want item, level, control and proof", doc, line, len(cells))
			return
		}
		rows++
		n := 0
		for _, m := range inCode.FindAllStringSubmatch(cells[3], -1) {
			if !named.MatchString(m[1]) {
				continue
			}
			n++
			if !have[m[1]] {
				t.Errorf("%s:%d: %s names the test %s, which does not exist", doc, line, cells[0], m[1])
			}
		}
		if n > 0 {
			covered++
		}
		if n == 0 && !strings.HasPrefix(cells[3], "document:") && !strings.HasPrefix(cells[3], "**not covered, because** ") {
			t.Errorf("%s:%d: %s has neither a test, nor a document, nor a reason why not", doc, line, cells[0])
		}
	})
	if rows < 40 || covered < 30 {
		t.Errorf("%s has %d rows, %d with tests", doc, rows, covered)
	}
}
