package spec

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley"
)

// runners runs the vectors of one page; each page's test file adds its own.
// A runner returns the error that the input causes, nil if it is accepted.
var runners = map[string]func(*Vector) error{}

func TestVectors(t *testing.T) {
	vs, err := Vectors()
	if err != nil {
		t.Fatal(err)
	}
	negative := 0
	for _, v := range vs {
		if !v.Positive() {
			negative++
		}
		t.Run(strings.TrimSuffix(v.Name, ".txt"), func(t *testing.T) {
			run := runners[v.Page]
			if run == nil {
				t.Fatalf("no runner for page %q", v.Page)
			}
			err := run(v)
			got := "ok"
			if err != nil {
				if got = string(parley.CodeOf(err)); got == "" {
					t.Fatalf("error without a code: %v", err)
				}
			}
			if got != v.Expect {
				t.Errorf("%s: got %s (%v), want %s", v.Comment, got, err, v.Expect)
			}
		})
	}
	if len(vs) < 150 {
		t.Errorf("%d vectors; the specification promises at least 150", len(vs))
	}
	if negative*3 < len(vs)*2 {
		t.Errorf("%d of %d vectors are negative; the specification promises two thirds", negative, len(vs))
	}
}

// Every vector names a rule, and the rule stands in its page.
func TestVectorsNameRules(t *testing.T) {
	vs, err := Vectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vs {
		page, err := fs.ReadFile(Pages(), v.Page+".md")
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if !regexp.MustCompile(`\*\*` + regexp.QuoteMeta(v.Rule) + `\*\*`).Match(page) {
			t.Errorf("%s: rule %s does not stand in %s.md as **%s**", v.Name, v.Rule, v.Page, v.Rule)
		}
	}
}

// The committed vectors are what the generator writes.
func TestVectorsRegenerate(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("go", "run", "./gen", "-dir", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go run ./gen: %v\n%s", err, out)
	}
	same := func(a, b string) {
		err := filepath.WalkDir(a, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, _ := filepath.Rel(a, p)
			x, _ := os.ReadFile(p)
			y, err := os.ReadFile(filepath.Join(b, rel))
			if err != nil || string(x) != string(y) {
				t.Errorf("%s differs; run go generate ./spec and look at the change", rel)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	same(dir, "vectors")
	same("vectors", dir)
}
