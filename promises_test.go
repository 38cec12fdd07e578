package parley_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/frame"
	"parley/journal"
)

// tests lists the tests of the module, of interop and of browser: "package.Test" with the
// package's folder, "parley" for the root.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	have := map[string]bool{}
	fset := token.NewFileSet()
	names := goFiles(t)
	inter, err := filepath.Glob("interop/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	browser, err := filepath.Glob("browser/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(names, inter, browser) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.FromSlash(name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(filepath.ToSlash(name))
		if dir == "." {
			dir = "parley"
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && testName.MatchString(fn.Name.Name) && fn.Name.Name != "TestMain" {
				have[dir+"."+fn.Name.Name] = true
			}
		}
	}
	return have
}

var (
	testName = regexp.MustCompile(`^(Test|Fuzz)[A-Z]`)
	inCode   = regexp.MustCompile("`([^`]+)`")
	named    = regexp.MustCompile(`^(parley|[a-z][a-z/-]*)\.(Test|Fuzz)\w+$`)
)

// table gives the rows of a document's tables as cells, with their line numbers.
func table(t *testing.T, name string, row func(line int, cells []string)) {
	t.Helper()
	for i, line := range strings.Split(read(t, name), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| id ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		row(i+1, cells)
	}
}

// Every threat of the model has tests that exist, or says why it has none.
func TestThreatsHaveTests(t *testing.T) {
	const doc = "docs/threats.md"
	have, next := tests(t), 1
	table(t, doc, func(line int, cells []string) {
		if want := fmt.Sprintf("T%02d", next); len(cells) != 4 || cells[0] != want {
			t.Errorf("%s:%d: a row of %d cells that begins with %q, want 4 and %s", doc, line, len(cells), cells[0], want)
			return
		}
		next++
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
		if because := "**not covered, because** "; n == 0 && !strings.Contains(cells[2], because) {
			t.Errorf("%s:%d: %s has neither a test nor a reason why not", doc, line, cells[0])
		}
	})
	if next != 57 {
		t.Errorf("%s has the threats T01 to T%02d, not to T56", doc, next-1)
	}
}

// plain takes away how a sentence is set: emphasis, links, breaks between lines.
func plain(s string) string {
	s = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(s, "$1")
	s = strings.NewReplacer("**", "", "`", "", "\n> ", " ", "\n", " ").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}

// promise is a sentence and the tests that hold it.
type promise struct {
	line     int
	file     string
	id       string
	sentence string
}

// promises reads docs/promises.md: under a heading that links to a file, rows
// of a test, which is the promise's id, and the sentence.
func promises(t *testing.T) (ps []promise) {
	t.Helper()
	const doc = "docs/promises.md"
	heading := regexp.MustCompile(`^## \[[^\]]+\]\(([^)]+)\)$`)
	file := ""
	for i, line := range strings.Split(read(t, doc), "\n") {
		if m := heading.FindStringSubmatch(line); m != nil {
			file = path.Join("docs", m[1])
			continue
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		id, sentence, ok := strings.Cut(strings.Trim(line, "| "), " | ")
		if !ok || file == "" {
			t.Fatalf("%s:%d: no row of a test and a sentence under a file's heading", doc, i+1)
		}
		ps = append(ps, promise{i + 1, file, strings.Trim(id, "` "), strings.TrimSpace(sentence)})
	}
	if len(ps) < 50 {
		t.Fatalf("%s has only %d promises", doc, len(ps))
	}
	return ps
}

// Each promise is held by a test, which is its id, and still stands where it
// was made, word by word.
func TestPromisesHaveTests(t *testing.T) {
	have, texts, seen := tests(t), map[string]string{}, map[promise]bool{}
	for _, p := range promises(t) {
		if !have[p.id] {
			t.Errorf("docs/promises.md:%d: the id %s is no test", p.line, p.id)
		}
		if texts[p.file] == "" {
			texts[p.file] = plain(read(t, p.file))
		}
		if !strings.Contains(texts[p.file], plain(p.sentence)) {
			t.Errorf("docs/promises.md:%d: %s does not say %q", p.line, p.file, p.sentence)
		}
		key := promise{0, p.file, p.id, p.sentence}
		if seen[key] {
			t.Errorf("docs/promises.md:%d: twice", p.line)
		}
		seen[key] = true
	}
}

// What is marked as a promise has an id: the lists "What is promised" of the
// manual, the last column of SECURITY.md's first table and of its table of what
// proves what, and the README's table of what to do when something goes wrong.
func TestPromisesAreListed(t *testing.T) {
	listed := map[string]string{}
	for _, p := range promises(t) {
		listed[p.file] += "\n" + plain(p.sentence)
	}
	want := func(file string, line int, sentence string) {
		t.Helper()
		if !strings.Contains(listed[file], plain(sentence)) {
			t.Errorf("%s:%d: a promise without an id in docs/promises.md: %q", file, line, sentence)
		}
	}
	pages, err := filepath.Glob("docs/manual/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		page, inside, n := filepath.ToSlash(page), false, 0
		for i, line := range strings.Split(read(t, page), "\n") {
			switch bullet, ok := strings.CutPrefix(line, "- "); {
			case strings.HasPrefix(line, "**What is promised.**"):
				inside = true
			case inside && ok:
				want(page, i+1, bullet)
				n++
			case line != "":
				inside = false
			}
		}
		if n == 0 && path.Base(page) != "index.md" {
			t.Errorf("%s promises nothing: no list under \"What is promised.\"", page)
		}
	}
	rows := func(file, heading string, column int, title string) {
		t.Helper()
		before, section, _ := strings.Cut(read(t, file), "\n## "+heading+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		n := 0
		for i, line := range strings.Split(section, "\n") {
			cells := strings.Split(strings.Trim(line, "|"), "|")
			if !strings.HasPrefix(line, "| ") || len(cells) <= column {
				continue
			}
			if cell := strings.TrimSpace(cells[column]); cell != "" && cell != title {
				n++
				want(file, strings.Count(before, "\n")+i+3, cell)
			}
		}
		if n < 5 {
			t.Errorf("%s: the table under %q has %d rows", file, heading, n)
		}
	}
	rows("SECURITY.md", "Who, what, and by what", 2, "is kept from it by")
	rows("SECURITY.md", "What each thing proves", 1, "proves")
	rows("README.md", "When something goes wrong", 1, "")
}

// A signature of one kind is no signature of another: whatever is signed begins
// with a domain that begins no other, and whoever adds a place that signs has to
// say so here.
func TestSignaturesFitNoOtherKind(t *testing.T) {
	places := map[string]int{ // calls of ed25519.Sign
		"journal/head.go": 2, "journal/export.go": 2, "station/grant.go": 2,
		"seal/sign.go": 3, "seal/card.go": 1, "internal/witness/rule.go": 1, "internal/host/backup.go": 1,
	}
	apart := []string{"internal/bench/", "internal/sim/", "spec/gen/", "journal/journaltest/", "internal/officer/officertest/"} // no keys of a party
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") || slices.ContainsFunc(apart, func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		if n := strings.Count(read(t, name), "ed25519.Sign("); n != places[name] {
			t.Errorf("%s signs in %d places, this test knows %d: add what is signed to its table", name, n, places[name])
		}
	}

	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	pub := key.Public().(ed25519.PublicKey)
	ch, gen := parley.Hash{1}, parley.Gen{2}
	log := parley.LogID{Channel: ch, Party: 1, Lane: parley.Routine, Gen: gen}
	head := journal.HeadText(log.Origin(), 3, parley.Hash{3})
	keys := &parley.Keys{Serial: 1, LogEd: pub, LogPQ: make([]byte, parley.SizePQ), RcptEd: pub, RcptPQ: make([]byte, parley.SizePQ),
		TLS: [][]byte{pub}, Proofs: [2][]byte{make([]byte, 64), make([]byte, 64)}}
	body := &parley.KeysBody{KEM: make([]byte, parley.SizeKEM), Until: 4}
	grant := &frame.Grant{Author: 1, Recipient: 2, Sealed: make([]byte, frame.SizeGrantSealed)}
	signed := []struct {
		kind string
		text []byte
	}{
		{"charter", parley.CharterMessage(ch)},
		{"root keys", parley.RootKeysMessage(ch, 1, 1, gen, keys)},
		{"possession", parley.PossessionMessage(ch, parley.UseLog, pub)},
		{"possession", parley.PossessionMessage(ch, parley.UseReceipt, pub)},
		{"keys", body.Message(ch, 1, gen, 3)},
		{"grant", grant.Message(ch)},
		{"head", head},
		{"receipt or witness", append([]byte("cosignature/v1\ntime 1\n"), head...)},
		{"inventory", journal.InventoryMessage(nil)},
		{"end of a record", []byte("parley/export-end/1\n")},
		{"card", []byte("parley/card/1\n")},
		{"backup", []byte("parley/backup-sum/1\n")},
	}
	for i, a := range signed {
		sig := ed25519.Sign(key, a.text)
		for j, b := range signed {
			if i != j && ed25519.Verify(pub, b.text, sig) {
				t.Errorf("a signature of %s fits %s", a.kind, b.kind)
			}
			da, db := domain(a.text), domain(b.text)
			if a.kind != b.kind && (bytes.HasPrefix(a.text, db) || bytes.HasPrefix(b.text, da)) {
				t.Errorf("the domain of %s, %q, begins what is signed as %s", b.kind, db, a.kind)
			}
		}
		if isHead := journal.VerifyHead(pub, log.Origin(), 3, parley.Hash{3}, sig); isHead != (a.kind == "head") {
			t.Errorf("a signature of %s as a head: %t", a.kind, isHead)
		}
		cosig := journal.Cosignature{Time: 1, Sig: sig}
		if isReceipt := journal.VerifyCosign(pub, cosig, log.Origin(), 3, parley.Hash{3}); isReceipt != (a.kind == "receipt or witness") {
			t.Errorf("a signature of %s as a receipt: %t", a.kind, isReceipt)
		}
		if _, err := parley.ParseOrigin(string(domain(a.text)[:len(domain(a.text))-1])); (err == nil) != (a.kind == "head") {
			t.Errorf("the domain of %s as a log's name: %v", a.kind, err)
		}
	}
	if _, err := os.Stat("seal/card.go"); err != nil || !strings.Contains(read(t, "seal/card.go"), `"parley/card/1\n"`) ||
		!strings.Contains(read(t, "journal/record.go"), `"parley/export-end/1\n"`) {
		t.Error("the domains of the card or of the end of a record are others now")
	}
}

// domain is the first line of what is signed, its end included.
func domain(text []byte) []byte { return text[:bytes.IndexByte(text, '\n')+1] }
