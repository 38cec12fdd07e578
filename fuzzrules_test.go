package parley_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Not exported, and fuzzed besides: what a carrier makes of a first frame
// (internal/carrier FuzzHello), requests at the local socket (internal/control
// FuzzDecode), sections of files (journal FuzzSection...), slots of the
// high-water file (internal/store FuzzSlot), backups, node keys and settings
// (internal/host), what a browser says that it signed (release FuzzApproval).

// fuzzed names the fuzz target of every exported function that reads bytes or
// words from outside, or after a dash why it has none. A function that is
// missing here fails the test, and so does a target that does not exist.
var fuzzed = map[string]string{
	"parley.ParseEntry":         ". FuzzEntry",
	"parley.ParseGeneration":    ". FuzzBody",
	"parley.ParseKeysBody":      ". FuzzBody",
	"parley.ParseRootKeys":      ". FuzzBody",
	"parley.ParseNotice":        ". FuzzBody",
	"parley.ParseClosing":       ". FuzzBody",
	"parley.ParseList":          ". FuzzBody",
	"parley.ParseOpening":       ". FuzzBody",
	"parley.ParseCharter":       ". FuzzCharter",
	"parley.ParseSignedCharter": ". FuzzSignedCharter",
	"parley.ParseOrigin":        ". FuzzOrigin",
	"parley.ParseLane":          ". FuzzWords",
	"parley.ParseRole":          ". FuzzWords",

	"journal.ParseCheckpoint":  "journal FuzzCheckpoint",
	"journal.ParseLines":       "journal FuzzLines",
	"journal.ParseTlogProof":   "journal FuzzTlogProof",
	"journal.ParseFork":        "journal FuzzFork",
	"journal.ParseInventory":   "journal FuzzInventory",
	"journal.ParseAnnounced":   "journal FuzzAnnounced",
	"journal.VerifyRecord":     "journal FuzzRecord",
	"journal.VerifyDisclosure": "journal FuzzDisclosure",
	"journal.VerifyFork":       "journal FuzzForkFile",
	"journal.ReadRecord":       "journal FuzzRecord", // VerifyRecord is its caller's check

	"seal.ParseCard": "seal FuzzCard",
	"seal.Decrypt":   "seal FuzzDecrypt",

	"frame.Decode":     "frame FuzzFrame",
	"frame.ReadStream": "frame FuzzStream",

	"hotline.Parse":         "hotline FuzzBody",
	"hotline.ParseType":     "hotline FuzzWords",
	"hotline.ParseAck":      "hotline FuzzWords",
	"hotline.ParseHandling": "hotline FuzzWords",
	"hotline.ParseRelation": "hotline FuzzWords",
	"hotline.ParseCode":     "hotline FuzzWords",
	"hotline.ParseOutcome":  "hotline FuzzWords",
	"hotline.ParseAsk":      "hotline FuzzWords",
	"hotline.ParseMedium":   "hotline FuzzWords",
	"hotline.ParseStatus":   "hotline FuzzWords",

	"release.Parse": "release FuzzBody",

	"officer.ParseRole": "internal/officer FuzzRole",

	"witness.ParseVKey":    "internal/witness FuzzVKey",
	"witness.ParseWitness": "internal/witness FuzzVKey",
	"witness.ParseLogs":    "internal/witness FuzzLogs",
	"witness.ParseKey":     "internal/witness FuzzKeyFile",

	"host.ParseKeyRequest": "internal/host FuzzKeyRequest",
	"host.ParseKeyAnswer":  "internal/host FuzzKeyAnswer",
	"host.ParseShare":      "internal/host FuzzShare",
	"host.ParseStatements": "internal/host FuzzStatements",

	"demo.Parse": "internal/demo FuzzScenario",

	"spec.ParseVector": "- reads the vectors of this repository only",
}

// reads matches the names of functions that read what somebody else wrote.
var reads = regexp.MustCompile(`^(Parse|Decode|Decrypt|Unmarshal|Read[A-Z])`)

func TestDecodersAreFuzzed(t *testing.T) {
	fset := token.NewFileSet()
	targets, missing := map[string]bool{}, maps.Clone(fuzzed)
	for _, name := range goFiles(t) {
		dir := path.Dir(name)
		if within(dir, "interop") || strings.HasSuffix(dir, "test") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.FromSlash(name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			if strings.HasSuffix(name, "_test.go") {
				if strings.HasPrefix(fn.Name.Name, "Fuzz") {
					targets[dir+" "+fn.Name.Name] = true
				}
				continue
			}
			full := f.Name.Name + "." + fn.Name.Name
			delete(missing, full)
			if f.Name.Name != "main" && reads.MatchString(fn.Name.Name) && fuzzed[full] == "" {
				t.Errorf("%s: %s reads what others wrote and has no fuzz target (fuzzrules_test.go)", fset.Position(fn.Pos()), full)
			}
		}
	}
	for _, full := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("fuzzrules_test.go names %s, which does not exist", full)
	}
	for full, target := range fuzzed {
		if !strings.HasPrefix(target, "- ") && !targets[target] {
			t.Errorf("fuzzrules_test.go: %s is said to be fuzzed by %q, which does not exist", full, target)
		}
	}
}
