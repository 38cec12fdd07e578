package parley

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestErrors(t *testing.T) {
	cause := errors.New("disk full")
	err := fmt.Errorf("start: %w", Errorf(CodeName, "name %q: %w", "x", cause))
	if CodeOf(err) != CodeName || !errors.Is(err, cause) {
		t.Errorf("%v has code %q", err, CodeOf(err))
	}
	if CodeOf(cause) != "" || CodeOf(nil) != "" {
		t.Error("an error without a code has one")
	}
	if want := `start: bad-name: name "x": disk full`; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("a code is registered twice")
		}
	}()
	RegisterCodes(map[Code]string{CodeName: "again"})
}

// Every code of every package is registered once with a remedy that an officer
// can read, and no two rules share one. The sources are read, so that the test
// needs no package that registers codes.
func TestEveryCodeHasARemedy(t *testing.T) {
	declared := map[string]string{} // code -> where
	names := map[string]string{}    // package directory and constant -> code
	keyed := map[string]string{}    // package directory and constant -> remedy
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata" || path == "interop") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if isCode(dir, n.Type) && i < len(n.Values) {
						code := literal(n.Values[i])
						if was, ok := declared[code]; ok {
							t.Errorf("%s: code %q is declared at %s too", fset.Position(n.Pos()), code, was)
						}
						declared[code] = fset.Position(n.Pos()).String()
						names[dir+" "+name.Name] = code
					}
				}
			case *ast.CompositeLit:
				m, ok := n.Type.(*ast.MapType)
				if !ok || !isCode(dir, m.Key) {
					return true
				}
				for _, e := range n.Elts {
					kv := e.(*ast.KeyValueExpr)
					if id, ok := kv.Key.(*ast.Ident); ok {
						keyed[dir+" "+id.Name] = literal(kv.Value)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < len(remedies) {
		t.Fatalf("%d codes found in the sources", len(names))
	}
	for name, code := range names {
		if code == "" || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("code %q (%s) is not lower-case words", code, name)
		}
		remedy, ok := keyed[name]
		if !ok {
			t.Errorf("code %q (%s) has no remedy", code, name)
			continue
		}
		if !strings.HasSuffix(remedy, ".") || len(remedy) > 250 {
			t.Errorf("the remedy of %q is not one or two short sentences: %q", code, remedy)
		}
	}
}

// isCode reports whether e is the root's type Code, as package dir writes it.
func isCode(dir string, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return dir == "." && e.Name == "Code"
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && x.Name == "parley" && e.Sel.Name == "Code"
	}
	return false
}

func literal(e ast.Expr) string {
	if b, ok := e.(*ast.BasicLit); ok {
		s, _ := strconv.Unquote(b.Value)
		return s
	}
	if b, ok := e.(*ast.BinaryExpr); ok {
		return literal(b.X) + literal(b.Y)
	}
	return ""
}
