package sim

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "record the traces of testdata/*.txt instead of comparing them")

// TestScripts plays the worlds told by hand and compares what officers saw.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts in testdata", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := play(filepath.Base(file), string(want))
			switch {
			case err != nil:
				t.Fatalf("%v\nUntil then:\n%s", err, got)
			case *rewrite:
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			case got != string(want):
				t.Errorf("%s tells another story than it recorded, at\n%s\nIf that is right, record it: go test ./internal/sim -run TestScripts -rewrite", file, difference(string(want), got))
			}
		})
	}
}

// A mistake in a script is one clear error with file and line.
func TestScriptMistakes(t *testing.T) {
	world := "world North South\n"
	for text, want := range map[string]string{
		world + "\n# then\npsot North flash \"x\"\nheal\n":   `x.txt:4: no command "psot"`,
		"post North flash \"x\"\n":                           "x.txt:1: world comes first, and once",
		world + "post West flash \"x\"\nheal\n":              `x.txt:2: no member "West"; they are North, South`,
		world + "post North flash \"x\" loudly\nheal\n":      `x.txt:2: "loudly" is not understood here`,
		world + "post North flash \"x\nheal\n":               "x.txt:2: a quotation does not end",
		world + "answer South roger #nothing\nheal\n":        `x.txt:2: nothing was called "#nothing"`,
		world + "at 07:00\nheal\n":                           "x.txt:2: 07:00 has passed; it is 2030-01-07 08:01:00",
		world + "at soon\nheal\n":                            `x.txt:2: "soon" is no time; write +4h, 09:15 or 2030-01-08T09:15Z`,
		world + "restore North backup\nheal\n":               "x.txt:2: North has no backup",
		world + "stop North\npost North flash \"x\"\nheal\n": "x.txt:3: the node of North is down",
		world + "post North flash \"x\" to\nheal\n":          "x.txt:2: to lacks its value",
		world + "call North > South tired\nheal\n":           `no outcome "tired"`,
		world:                          "x.txt: the last command is not heal",
		world + "heal\nduties North\n": "x.txt:3: nothing follows heal",
	} {
		if _, err := play("x.txt", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
