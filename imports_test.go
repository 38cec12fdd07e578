package parley_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The arrows: what each package of this module may import, besides the
// standard library. A package is named by its folder, the root by a dot; the
// names with a dot inside are other modules' packages. A new package needs a
// row here, and a new arrow a thought: ARCHITECTURE.md says why they are few.
//
// Tests are free: they may import whatever they test against.
var arrows = map[string]string{
	// The vocabulary, the record, keys, frames and the machine: pure.
	".":       "filippo.io/mldsa",
	"journal": ". filippo.io/mldsa golang.org/x/mod/sumdb/tlog",
	"seal":    ". filippo.io/mldsa",
	"frame":   ".",
	"station": ". journal seal frame",

	// Desks, which never import each other, and all of them together: pure.
	"hotline": ".",
	"release": ".",
	"docket":  ". hotline release",

	// The world. Store, carrier and witness do not know each other; the node
	// knows stores and carriers by interfaces only, and the host joins them.
	"internal/store":   ". journal golang.org/x/mod/sumdb/tlog modernc.org/sqlite modernc.org/sqlite/lib",
	"internal/carrier": ". frame",
	"internal/witness": ". journal filippo.io/mldsa golang.org/x/mod/sumdb/note",
	"internal/node":    ". journal station docket",
	"internal/host": ". journal seal frame station internal/node internal/store internal/carrier internal/witness " +
		"filippo.io/age filippo.io/age/armor",
	"internal/control": ". journal station hotline release internal/node internal/host",

	// The officers of a party, and their console.
	"internal/officer": ". journal release github.com/go-webauthn/webauthn/webauthn github.com/go-webauthn/webauthn/protocol " +
		"github.com/go-webauthn/webauthn/protocol/webauthncose golang.org/x/mod/sumdb/tlog modernc.org/sqlite",
	"internal/officer/officertest": ".",
	"internal/console": ". journal seal hotline release docket internal/node internal/host internal/officer " +
		"internal/console/locale docs/manual",
	"docs/manual":             "",
	"internal/console/locale": "",

	// Simulated worlds of many stations.
	"internal/sim":   ". journal journal/journaltest seal frame station hotline release docket",
	"cmd/parley-sim": "internal/sim github.com/alecthomas/kong",

	// What everybody runs. The verifier of strangers knows the record, and the
	// desks that tell a message of an exercise and a release by two persons: it
	// must not show either as mere bytes.
	"cmd/parley": ". journal seal hotline internal/node internal/store internal/witness internal/host " +
		"internal/control internal/demo internal/bench internal/officer internal/console github.com/alecthomas/kong golang.org/x/term",
	"cmd/parley-verify": ". journal hotline release",
	"internal/demo": ". journal seal station hotline internal/node internal/host internal/witness " +
		"internal/officer internal/console",
	"internal/bench": ". journal seal frame station hotline internal/node internal/store internal/carrier internal/host",

	// Specification, and help for tests.
	"spec":                     "",
	"spec/gen":                 ". journal journal/journaltest seal frame hotline release filippo.io/mldsa",
	"journal/journaltest":      ". journal filippo.io/mldsa golang.org/x/mod/sumdb/tlog",
	"internal/faults":          "",
	"internal/store/storetest": ". journal golang.org/x/mod/sumdb/tlog",
	"internal/mutate":          "",
}

// pure lists the rooms that touch nothing: time and randomness arrive as
// values, and nothing goes on behind the caller's back. So a run can be
// repeated byte for byte.
var pure = strings.Fields(". journal seal frame station hotline release docket")

// impure are trees of the standard library closed to pure rooms. Sync is among
// them because what needs a lock is shared by goroutines.
var impure = strings.Fields("os net database log math/rand crypto/rand syscall sync unsafe plugin")

// mayRead lists pure rooms with an exception: whose package, which import.
var mayRead = map[string]string{"seal": "crypto/rand"}

// clock lists what package time does besides arithmetic, and printing what
// package fmt does besides formatting.
var (
	clock    = strings.Fields("Now Since Until After AfterFunc Sleep Tick NewTimer NewTicker")
	printing = strings.Fields("Print Printf Println Scan Scanf Scanln")
)

func TestImports(t *testing.T) {
	fset := token.NewFileSet()
	seen := map[string]bool{}
	for _, name := range goFiles(t) {
		dir := path.Dir(name)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		seen[dir] = true
		f, err := parser.ParseFile(fset, filepath.FromSlash(name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, wrong := range violations(fset, f, dir) {
			t.Error(wrong)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(arrows)) {
		if !seen[dir] {
			t.Errorf("imports_test.go: the table of arrows has a row for %q, which is no package", dir)
		}
	}
	for _, dir := range pure {
		if !seen[dir] {
			t.Errorf("imports_test.go: the pure room %q is no package", dir)
		}
	}
}

// violations lists what file f of the package in dir does against the table
// and, in a pure room, against purity; each with its place.
func violations(fset *token.FileSet, f *ast.File, dir string) (wrong []string) {
	say := func(n ast.Node, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), fmt.Sprintf(format, args...)))
	}
	row, ok := arrows[dir]
	if !ok {
		say(f.Name, "package %s has no row in the table of arrows (imports_test.go)", dir)
	}
	allowed, isPure := strings.Fields(row), slices.Contains(pure, dir)
	local := map[string]string{} // how the file names package time and package fmt
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		switch to, kind := target(p); {
		case kind != standard:
			if ok && !slices.Contains(allowed, to) {
				say(spec, "%s may not import %s (imports_test.go has the arrows)", dir, to)
			}
		case isPure && mayRead[dir] != p && slices.ContainsFunc(impure, func(tree string) bool { return within(p, tree) }):
			say(spec, "%s is pure and may not import %s", dir, p)
		}
		if p == "time" || p == "fmt" {
			local[p] = p
			if spec.Name != nil {
				local[p] = spec.Name.Name
			}
			if isPure && local[p] == "." {
				say(spec, "%s is pure: it imports %s by name", dir, p)
			}
		}
	}
	if !isPure {
		return wrong
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			say(n, "%s is pure and starts no goroutine", dir)
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && x.Name == local["time"] && slices.Contains(clock, n.Sel.Name) {
				say(n, "%s is pure and has no clock: not time.%s", dir, n.Sel.Name)
			}
			if ok && x.Name == local["fmt"] && slices.Contains(printing, n.Sel.Name) {
				say(n, "%s is pure and prints nothing: not fmt.%s", dir, n.Sel.Name)
			}
		}
		return true
	})
	return wrong
}

type kind int

const (
	standard kind = iota
	ours
	others
)

// target names an import as the table does, and says whose it is.
func target(p string) (string, kind) {
	if p == "parley" {
		return ".", ours
	}
	if rest, ok := strings.CutPrefix(p, "parley/"); ok {
		return rest, ours
	}
	if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
		return p, others
	}
	return p, standard
}

func within(p, tree string) bool { return p == tree || strings.HasPrefix(p, tree+"/") }

// goFiles lists the Go files of this module that the go command builds, with
// slashes.
func goFiles(t *testing.T) []string {
	return slices.DeleteFunc(files(t, ".go"), func(name string) bool { return strings.Contains(name, "/testdata/") })
}

// files lists the files of this module with one of the extensions, with
// slashes; not hidden ones, and not those of a module inside.
func files(t *testing.T, exts ...string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." {
			if _, err := os.Lstat(filepath.Join(name, "go.mod")); err == nil || strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
		}
		if !d.IsDir() && slices.Contains(exts, filepath.Ext(name)) {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no files %v", exts)
	}
	return names
}

// The checker finds what it is there to find, at its place, and nothing else.
func TestImportsChecker(t *testing.T) {
	for _, c := range []struct{ dir, source, want string }{
		{"hotline", `import "parley/journal"`, "x.go:2:8: hotline may not import journal"},
		{"internal/store", `import "parley/internal/carrier"`, "may not import internal/carrier"},
		{"frame", `import "example.com/cbor"`, "may not import example.com/cbor"},
		{"cmd/parley-verify", `import "parley/internal/store"`, "may not import internal/store"},
		{"forum", `import "strings"`, "x.go:1:9: package forum has no row"},
		{".", `import "os"`, "x.go:2:8: . is pure and may not import os"},
		{"journal", `import "os/exec"`, "may not import os/exec"},
		{"docket", `import slog "log/slog"`, "may not import log/slog"},
		{"hotline", `import "math/rand/v2"`, "may not import math/rand/v2"},
		{"station", `import "crypto/rand"`, "may not import crypto/rand"},
		{"station", `import "time"; var _ = time.Now`, "x.go:2:24: station is pure and has no clock: not time.Now"},
		{"station", `import "time"; func f() { time.Sleep(1) }`, "not time.Sleep"},
		{"seal", `import t "time"; var _ = t.NewTicker(1)`, "not time.NewTicker"},
		{"seal", `import . "time"; var _ = Now()`, "it imports time by name"},
		{"frame", `func f() { go f() }`, "x.go:2:12: frame is pure and starts no goroutine"},
		{"hotline", `import "fmt"; func f() { fmt.Println() }`, "not fmt.Println"},

		{"journal", `import ("bytes"; "math/bits"; "parley"; "time"; "fmt"); var _ = time.Unix; var _ = fmt.Sprint`, ""},
		{"seal", `import "crypto/rand"`, ""},
		{"internal/node", `import ("log/slog"; "time"; "parley/station"); var _ = time.Now; func f() { go f() }`, ""},
	} {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, "x.go", "package x\n"+c.source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		got := violations(fset, f, c.dir)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s in %s: %q, want %q", c.source, c.dir, got, c.want)
		}
	}
}
