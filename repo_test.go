package parley_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/mod/modfile"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every module that this one imports itself is listed as such, with a reason
// beside it; and no other is.
func TestDependencies(t *testing.T) {
	mod, err := modfile.Parse("go.mod", []byte(read(t, "go.mod")), nil)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	imports := map[string]string{} // path of another module's package -> a file that imports it
	for _, name := range goFiles(t) {
		f, err := parser.ParseFile(fset, filepath.FromSlash(name), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			p, _ := strconv.Unquote(spec.Path.Value)
			if to, kind := target(p); kind == others {
				imports[to] = name
			}
		}
	}
	for _, r := range mod.Require {
		user := ""
		for _, p := range slices.Sorted(maps.Keys(imports)) {
			if within(p, r.Mod.Path) {
				user = imports[p]
				delete(imports, p)
			}
		}
		var reason string
		for _, c := range r.Syntax.Suffix {
			reason += strings.Trim(c.Token, "/ ")
		}
		switch {
		case user != "" && r.Indirect:
			t.Errorf("go.mod:%d: %s is marked indirect, and %s imports it", r.Syntax.Start.Line, r.Mod.Path, user)
		case user == "" && !r.Indirect:
			t.Errorf("go.mod:%d: nothing imports %s", r.Syntax.Start.Line, r.Mod.Path)
		case !r.Indirect && len(strings.Fields(reason)) < 4:
			t.Errorf("go.mod:%d: %s has no reason beside it", r.Syntax.Start.Line, r.Mod.Path)
		}
	}
	for p, name := range imports {
		t.Errorf("%s: go.mod requires no module of %s", name, p)
	}
}

// A file is read by people: at 500 lines one talks about it, 800 are refused.
func TestFileLengths(t *testing.T) {
	for _, name := range goFiles(t) {
		switch n := strings.Count(read(t, name), "\n"); {
		case n > 800:
			t.Errorf("%s has %d lines; more than 800 are refused", name, n)
		case n > 500:
			t.Logf("%s has %d lines", name, n)
		}
	}
}

// Nothing is left for later without an owner, and nothing speaks of the
// machine that it was written on.
func TestLeftovers(t *testing.T) {
	leftover := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|(^|[\s"'(=])/(home|root|Users|wor` + `k)/\w`)
	names := files(t, ".go", ".md", ".txt", ".mod", ".yml", ".yaml", ".html")
	names = append(names, ".ci/run", ".gitignore")
	for _, name := range names {
		for i, line := range strings.Split(read(t, name), "\n") {
			if m := leftover.FindString(line); m != "" {
				t.Errorf("%s:%d: %q", name, i+1, strings.TrimSpace(m))
			}
		}
	}
}

// Every package says what it is, how it is used and where it ends.
func TestPackageComments(t *testing.T) {
	fset := token.NewFileSet()
	docs := map[string][]string{}
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.FromSlash(name), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		docs[path.Dir(name)] = append(docs[path.Dir(name)], "")
		if f.Doc != nil {
			docs[path.Dir(name)] = append(docs[path.Dir(name)], f.Doc.Text())
		}
	}
	for dir, texts := range docs {
		texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
		if len(texts) != 1 {
			t.Errorf("%s has %d package comments", dir, len(texts))
		} else if len(strings.Fields(texts[0])) < 15 {
			t.Errorf("%s: its package comment says too little: %q", dir, texts[0])
		}
	}
}

// Links of the documents lead somewhere: to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, name := range files(t, ".md") {
		fenced := false
		for i, line := range strings.Split(read(t, name), "\n") {
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			}
			if fenced {
				continue
			}
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				u, err := url.Parse(m[1])
				if err != nil || u.Scheme != "" {
					continue
				}
				to := name
				if u.Path != "" {
					to = path.Join(path.Dir(name), u.Path)
				}
				if _, err := os.Stat(filepath.FromSlash(to)); err != nil {
					t.Errorf("%s:%d: %s leads nowhere", name, i+1, m[1])
				} else if u.Fragment != "" && !slices.Contains(headings(read(t, to)), u.Fragment) {
					t.Errorf("%s:%d: %s has no heading %q", name, i+1, to, u.Fragment)
				}
			}
		}
	}
}

// headings lists a document's headings as links name them.
func headings(text string) (out []string) {
	for _, line := range strings.Split(text, "\n") {
		if h, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			out = append(out, strings.Map(func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
					return unicode.ToLower(r)
				}
				return -1
			}, strings.TrimSpace(h)))
		}
	}
	return out
}

// The README names every command that parley has, and none that it has not.
func TestReadmeCommands(t *testing.T) {
	have := commands(t, "cmd/parley", "cli")
	if len(have) < 10 {
		t.Fatalf("only %q found in cmd/parley", have)
	}
	readme := read(t, "README.md")
	for _, c := range have {
		if !regexp.MustCompile(`\bparley ` + c + `\b`).MatchString(readme) {
			t.Errorf("README.md does not mention parley %s", c)
		}
	}
	// In blocks of commands and in code, "parley word" is a command.
	for _, m := range regexp.MustCompile("(?m)(?:^|`|/)parley ([a-z][a-z-]*)").FindAllStringSubmatch(readme, -1) {
		if !slices.ContainsFunc(have, func(c string) bool { return strings.HasPrefix(c+" ", m[1]+" ") }) {
			t.Errorf("README.md mentions parley %s, which is no command", m[1])
		}
	}
}

// commands lists the commands in a struct of a package, read from the sources:
// its fields with the tag cmd, and theirs. The command line is package main and
// cannot be imported.
func commands(t *testing.T, dir, root string) (out []string) {
	structs := map[string]*ast.StructType{}
	fset := token.NewFileSet()
	for _, name := range goFiles(t) {
		if path.Dir(name) != dir {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.FromSlash(name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.TypeSpec); ok {
				if st, ok := s.Type.(*ast.StructType); ok {
					structs[s.Name.Name] = st
				}
			}
			return true
		})
	}
	var walk func(prefix, name string)
	walk = func(prefix, name string) {
		if structs[name] == nil {
			t.Fatalf("%s has no struct %s", dir, name)
		}
		for _, f := range structs[name].Fields.List {
			if f.Tag == nil || len(f.Names) != 1 {
				continue
			}
			raw, _ := strconv.Unquote(f.Tag.Value)
			tag := reflect.StructTag(raw)
			if _, ok := tag.Lookup("cmd"); !ok {
				continue
			}
			word := tag.Get("name")
			if word == "" {
				word = strings.ToLower(f.Names[0].Name)
			}
			out = append(out, prefix+word)
			walk(prefix+word+" ", f.Type.(*ast.Ident).Name)
		}
	}
	walk("", root)
	return out
}
