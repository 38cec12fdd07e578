package models

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Where spin is installed every model holds what it claims, and each wrong
// variant fails. PARLEY_MODELS=1 takes all runs, some minutes; without it the
// small ones.
func TestModels(t *testing.T) {
	for _, need := range []string{"bash", "spin", "gcc"} {
		if _, err := exec.LookPath(need); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is not installed, and CI must check the models", need)
			}
			t.Skipf("THE MODELS ARE NOT CHECKED: %s is not installed (apt-get install spin gcc)", need)
		}
	}
	args := []string{"-q"}
	if os.Getenv("PARLEY_MODELS") != "" {
		args = nil
	}
	out, err := exec.Command("./check", args...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) || err != nil {
		t.Fatalf("check %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	if !bytes.Contains(out, []byte("runs as they must be")) {
		t.Errorf("check did not finish:\n%s", out)
	}
	t.Logf("%s", out)
}

// A model names the Go functions that its steps mirror. Each of them exists, so
// that whoever renames or removes one meets the model.
func TestModelsNameTheCode(t *testing.T) {
	funcs := declared(t)
	models, err := filepath.Glob("*.pml")
	if err != nil || len(models) < 5 {
		t.Fatalf("models %v, %v", models, err)
	}
	name := regexp.MustCompile(`\b(station|store|journal|witness|host|parley)\.([A-Za-z]+\.)?([A-Za-z]+)\b`)
	for _, model := range models {
		text, err := os.ReadFile(model)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(text), "*/")
		for _, want := range []string{"Propert", "Not here:", "check: ", "expect=ok", "expect=violated"} {
			if !strings.Contains(head, want) {
				t.Errorf("%s: its head has no %q", model, want)
			}
		}
		named := 0
		for _, m := range name.FindAllStringSubmatch(head, -1) {
			named++
			if !funcs[m[1]+"."+m[3]] {
				t.Errorf("%s names %s, which is no function", model, m[0])
			}
		}
		if named == 0 && model != "release.pml" { // whose code comes with the console
			t.Errorf("%s names no function", model)
		}
		if strings.Contains(head, "states=0 ") {
			t.Errorf("%s: check -w has not written its numbers of states", model)
		}
	}
}

// declared lists the functions and methods of the module as package.name.
func declared(t *testing.T) map[string]bool {
	funcs := map[string]bool{}
	fset := token.NewFileSet()
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				funcs[f.Name.Name+"."+fn.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return funcs
}
