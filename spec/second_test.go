package spec

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/internal/mutate"
)

// A second implementation, in Python and written from the pages alone, must
// come to the same outcome as this one: on every vector, and on inputs made
// from them that are broken in ways nobody thought of.
//
// A small number of those are tried by default; PARLEY_SECOND=1000000 asks for
// more, PARLEY_SECOND_SEED=n for others. A difference is written out as a
// vector, to be kept once it is known which side is right.

// second is the other implementation as a process that answers questions.
type second struct {
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

// verdict is an answer: the code, and of a sound file what it counts.
type verdict struct {
	Code   string         `json:"code"`
	Crash  string         `json:"crash"`
	Counts map[string]any `json:"report"`
}

func startSecond(t testing.TB) *second {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no python3, and CI is set: the second verifier must run")
		}
		t.Skip("NOT RUN: there is no python3 for the second verifier (interop/python)")
	}
	s := &second{cmd: exec.Command(python, filepath.Join("..", "interop", "python", "serve.py"))}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReaderSize(out, 1<<16)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.in.Close()
		s.cmd.Wait()
	})
	return s
}

func (s *second) ask(v *Vector) (a verdict, err error) {
	q, err := json.Marshal(map[string]any{"page": v.Page, "params": v.Params, "input": hex.EncodeToString(v.Input)})
	if err != nil {
		return a, err
	}
	if _, err := s.in.Write(append(q, '\n')); err != nil {
		return a, err
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("the second verifier ended: %w", err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Crash != "" {
		a.Code = "crash: " + a.Crash
	}
	return a, nil
}

// first is this implementation's outcome.
func first(v *Vector) (string, error) {
	err := runners[v.Page](v)
	if err == nil {
		return "ok", nil
	}
	if code := parley.CodeOf(err); code != "" {
		return string(code), err
	}
	return "no code", err
}

func TestSecondVectors(t *testing.T) {
	s := startSecond(t)
	vs, err := Vectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vs {
		a, err := s.ask(v)
		if err != nil {
			t.Fatal(err)
		}
		if a.Code != v.Expect {
			t.Errorf("%s: the second verifier says %s, the vector %s", v.Name, a.Code, v.Expect)
		}
	}
	t.Logf("%d vectors", len(vs))
}

func dose(t testing.TB, def int) (n int, seed uint64) {
	n = def
	if s := os.Getenv("PARLEY_SECOND"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("PARLEY_SECOND: %v", err)
		}
	}
	seed, _ = strconv.ParseUint(os.Getenv("PARLEY_SECOND_SEED"), 10, 64)
	return
}

// hotlineRules are the codes of hotline.md of which a body that breaks several
// rules may show any.
var hotlineRules = func() map[string]bool {
	m := map[string]bool{}
	for _, c := range strings.Fields("out-of-range not-canonical bad-character bad-info bad-paragraphs empty-citation bad-language " +
		"empty-roles bad-name bad-line-members bad-schedule bad-next-line not-sorted bad-caller bad-question") {
		m[c] = true
	}
	return m
}()

// compare asks both about n inputs that next draws. Of each kind of difference
// it shows the first.
func compare(t *testing.T, n int, next func(i int) *Vector) {
	s := startSecond(t)
	differences, outcomes, kinds := 0, map[string]int{}, map[string]bool{}
	for i := range n {
		v := next(i)
		if v == nil {
			continue
		}
		code, cause := first(v)
		a, err := s.ask(v)
		if err != nil {
			t.Fatal(err)
		}
		outcomes[v.Page+" "+code]++
		if a.Code != code && !(v.Page == "hotline" && hotlineRules[code] && hotlineRules[a.Code]) {
			differences++
			if kind := v.Page + v.Params["op"] + v.Params["kind"] + code + a.Code; !kinds[kind] {
				kinds[kind] = true
				t.Errorf("input %d, from %s: this says %s (%v), the second verifier %s\n%s", i, v.Name, code, cause, a.Code, kept(t, v, code, differences))
			}
		}
		progress(t, i, n, differences)
	}
	var all []string
	for k, n := range outcomes {
		all = append(all, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(all)
	t.Logf("%d inputs, %d differences; outcomes: %s", n, differences, strings.Join(all, ", "))
}

var told time.Time

// progress says how far a long run is, every ten seconds.
func progress(t *testing.T, i, n, differences int) {
	if time.Since(told) > 10*time.Second && i > 0 {
		told = time.Now()
		fmt.Fprintf(os.Stderr, "%s: %d of %d, %d differences\n", t.Name(), i, n, differences)
	}
}

// kept writes a difference as a vector into PARLEY_SECOND_DIR, or shows a short
// one.
func kept(t *testing.T, v *Vector, code string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "page: %s\nexpect: %s\nrule: ?\ncomment: ?\n", v.Page, code)
	for k, x := range v.Params {
		fmt.Fprintf(&b, "%s: %s\n", k, x)
	}
	fmt.Fprintf(&b, "\n%x\n", v.Input)
	if dir := os.Getenv("PARLEY_SECOND_DIR"); dir != "" {
		name := filepath.Join(dir, fmt.Sprintf("%s-%d.txt", t.Name(), n))
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Error(err)
		}
		return name
	}
	if b.Len() > 2000 {
		return "set PARLEY_SECOND_DIR to keep the input"
	}
	return b.String()
}

// Vectors with one to three changes, of all pages alike.
func TestSecondMutated(t *testing.T) {
	vs, err := Vectors()
	if err != nil {
		t.Fatal(err)
	}
	byPage, pools := map[string][]*Vector{}, map[string][][]byte{}
	for _, v := range vs {
		if !slices.Contains([]string{"unwrap", "derive", "time"}, v.Params["op"]) {
			if v.Page == "frames" { // the form alone
				v.Params = map[string]string{}
			}
			delete(v.Params, map[string]string{"charter": "channel"}[v.Page])
			byPage[v.Page] = append(byPage[v.Page], v)
			pools[v.Page] = append(pools[v.Page], v.Input)
		}
	}
	n, seed := dose(t, 2000)
	muts, pages := map[string]*mutate.Mutator{}, []string{}
	for page := range byPage {
		muts[page] = mutate.New(seed, pools[page])
		pages = append(pages, page)
	}
	slices.Sort(pages)
	compare(t, n, func(i int) *Vector {
		page := pages[i%len(pages)]
		m := muts[page]
		v := *byPage[page][m.Intn(len(byPage[page]))]
		v.Input = m.Change(v.Input)
		return &v
	})
}
