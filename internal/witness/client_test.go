package witness

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

// parleyLog is a lane of member p of a test channel.
func parleyLog(ch *journaltest.Channel, p parley.Party) *testLog {
	return &testLog{origin: ch.Log(p, parley.Flash, 0).Origin(), key: ch.Member(p).Keys.Log}
}

func TestCharter(t *testing.T) {
	ch := journaltest.New(3, 1, nil)
	other := journaltest.New(2, 0, nil)
	rotated := ch.Log(2, parley.Flash, 1)
	next := ch.Member(2).NodeKeys(1)
	s := open(t, Config{
		Charters: []*parley.Charter{ch.Charter},
		RootKeys: func(id parley.LogID) [][]byte {
			if id == rotated {
				return [][]byte{next.Public.LogEd}
			}
			return nil
		},
	})
	member4 := parleyLog(ch, 1)
	member4.origin = strings.Replace(member4.origin, "/1/0/", "/4/0/", 1)
	lane5 := parleyLog(ch, 1)
	lane5.origin = strings.Replace(lane5.origin, "/1/0/", "/1/5/", 1)
	for _, tt := range []struct {
		name   string
		log    *testLog
		status int
	}{
		{"member 1", parleyLog(ch, 1), 200},
		{"the mediator", parleyLog(ch, 3), 200},
		{"a second generation", &testLog{origin: ch.Log(1, parley.Deferred, 1).Origin(), key: ch.Member(1).Keys.Log}, 200},
		{"member 2's log by member 1", &testLog{origin: parleyLog(ch, 2).origin, key: ch.Member(1).Keys.Log}, 403},
		{"by the receipt key", &testLog{origin: parleyLog(ch, 2).origin, key: ch.Member(2).Keys.Rcpt}, 403},
		{"new keys in their generation", &testLog{origin: rotated.Origin(), key: next.Log}, 200},
		{"old keys in the new generation", &testLog{origin: rotated.Origin(), key: ch.Member(2).Keys.Log}, 403},
		{"new keys in an old generation", &testLog{origin: parleyLog(ch, 2).origin, key: next.Log}, 403},
		{"a member that the charter does not have", member4, 404},
		{"a lane that does not exist", lane5, 404},
		{"another channel", parleyLog(other, 1), 404},
	} {
		_, no := s.add((&request{0, nil, tt.log.grow(2).note()}).append(nil))
		if status := 200; no != nil && no.status != tt.status || no == nil && status != tt.status {
			t.Errorf("%s: %v, want %d", tt.name, no, tt.status)
		}
	}
	s.Accept(other.Charter)
	if _, no := s.add((&request{0, nil, parleyLog(other, 1).grow(2).note()}).append(nil)); no != nil {
		t.Errorf("an accepted channel is refused: %v", no)
	}
}

// Of a fork in a channel known by its signed charter the witness writes a file
// that convinces a stranger, and of nothing else.
func TestForkFile(t *testing.T) {
	ch := journaltest.New(2, 0, nil)
	gen := ch.Gen(2, 1)
	next := ch.Member(2).NodeKeys(1)
	keys := []*journal.Announced{{Party: 2, Gen: gen, Keys: ch.Member(2).RootKeys(ch.ID, gen, next.Public)}}
	for _, tt := range []struct {
		name string
		log  *testLog
	}{
		{"the charter's key", parleyLog(ch, 1)},
		{"a key of a ROOTKEYS", &testLog{origin: ch.Log(2, parley.Routine, 1).Origin(), key: next.Log}},
	} {
		dir := t.TempDir()
		s := open(t, Config{Dir: dir, Channels: []Channel{{ch.Signed, keys}}})
		if _, no := s.add((&request{0, nil, tt.log.grow(3).note()}).append(nil)); no != nil {
			t.Fatalf("%s: %v", tt.name, no)
		}
		fork := &testLog{origin: tt.log.origin, key: tt.log.key, salt: "x"}
		if _, no := s.add((&request{3, nil, fork.grow(3).note()}).append(nil)); no == nil || no.status != 409 {
			t.Fatalf("%s: a fork is answered with %v", tt.name, no)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "fork-*"+journal.FileFork.Suffix()))
		if len(files) != 1 {
			t.Fatalf("%s: %d proof files", tt.name, len(files))
		}
		b, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := journal.VerifyFork(bytes.NewReader(b), journal.Verify{Channel: &ch.ID}, func(journal.Finding) {}); err != nil {
			t.Errorf("%s: a stranger is not convinced: %v", tt.name, err)
		}
	}
	s := open(t, Config{Channels: []Channel{{ch.Signed, keys}}})
	if _, no := s.add((&request{0, nil, (&testLog{origin: ch.Log(2, 0, 1).Origin(), key: ch.Member(2).Keys.Log}).grow(1).note()}).append(nil)); no == nil || no.status != 403 {
		t.Errorf("a replaced key in the generation that replaced it: %v", no)
	}
	keys[0].Keys.Ed[3] ^= 1
	if err := s.AcceptChannel(Channel{ch.Signed, keys}); parley.CodeOf(err) != journal.CodeRootKeys {
		t.Errorf("ROOTKEYS that the root did not sign: %v", err)
	}
}

func TestClient(t *testing.T) {
	key := testKey(t)
	ch := journaltest.New(2, 1, func(c *parley.Charter) {
		c.Witnesses = append(c.Witnesses, key.Witness())
	})
	l := parleyLog(ch, 1).grow(3)
	c := serve(t, open(t, Config{Key: key, Charters: []*parley.Charter{ch.Charter}}))
	ctx := context.Background()
	lines, err := c.Add(ctx, 0, nil, l.note())
	if err != nil {
		t.Fatal(err)
	}

	// Verify keeps what the charter's witnesses signed and counts the rest.
	w := ch.Witnesses[0]
	forged := journal.CosignLine(w.Name, w.Ed.Public().(ed25519.PublicKey), journal.Cosignature{Time: testTime, Sig: make([]byte, 64)})
	foreign := journal.CosignLine("nobody", w.Ed.Public().(ed25519.PublicKey), journal.Cosign(w.Ed, testTime, l.origin, 3, l.tree.Root()))
	mixed := append([]journal.Line{forged, foreign, {Name: key.Name}}, append(lines, lines...)...)
	good, dropped := Verify(ch.Charter, mixed, l.origin, 3, l.tree.Root())
	if len(good) != 2 || dropped != 5 || good[0].PQ || !good[1].PQ || good[0].Name != key.Name ||
		good[0].Log != ch.Log(1, parley.Flash, 0) || good[0].Size != 3 || good[0].Time != testTime {
		t.Errorf("%d dropped, kept %+v", dropped, good)
	}
	if good, _ := Verify(ch.Charter, lines, l.origin, 4, l.tree.Root()); len(good) != 0 {
		t.Error("a cosignature counts for another size")
	}
	if good, _ := Verify(ch.Charter, lines, parleyLog(ch, 2).origin, 3, l.tree.Root()); len(good) != 0 {
		t.Error("a cosignature counts for another log")
	}

	// Submit corrects a stale start once, and reports that the witness knows more.
	prove := func(l *testLog) func(uint64) ([]parley.Hash, error) {
		return func(old uint64) ([]parley.Hash, error) { return l.prove(t, old), nil }
	}
	l.grow(7)
	if lines, from, err := c.Submit(ctx, 0, 7, l.note(), prove(l)); err != nil || from != 3 || len(lines) != 2 {
		t.Errorf("from %d: %v", from, err)
	}
	stale := parleyLog(ch, 1).grow(5)
	var conflict *Conflict
	if _, _, err := c.Submit(ctx, 3, 5, stale.note(), prove(stale)); !errors.As(err, &conflict) || conflict.Size != 7 {
		t.Errorf("a store that is behind: %v", err)
	}
	fork := parleyLog(ch, 1)
	fork.salt = "x"
	fork.grow(7)
	if _, _, err := c.Submit(ctx, 0, 7, fork.note(), prove(fork)); !errors.As(err, &conflict) || conflict.HasSize || parley.CodeOf(err) != CodeConflict {
		t.Errorf("a fork: %v", err)
	}
	oops := errors.New("no proof")
	if _, _, err := c.Submit(ctx, 5, 9, l.grow(9).note(), func(uint64) ([]parley.Hash, error) { return nil, oops }); !errors.Is(err, oops) {
		t.Errorf("an error of the proof's maker: %v", err)
	}
}

// What a broken or hostile witness may answer, and what the caller is told.
func TestAnswers(t *testing.T) {
	l := newLog("log.example").grow(1)
	for _, tt := range []struct {
		status  int
		kind    string
		body    string
		code    parley.Code
		hasSize bool
	}{
		{200, "", "", CodeRefused, false},
		{200, "", "not a line\n", CodeRefused, false},
		{200, "", strings.Repeat("— a AAAAAAAA\n", 65), CodeRefused, false},
		{200, "", strings.Repeat("x", maxAnswer+1), CodeRefused, false},
		{301, "", "", CodeRefused, false},
		{400, "", "why \x1b[31mnot\nsecond line", CodeRefused, false},
		{403, "", "", CodeUnknown, false},
		{404, "", "", CodeUnknown, false},
		{409, "text/x.tlog.size", "12\n", CodeConflict, true},
		{409, "text/x.tlog.size; charset=utf-8", "12\n", CodeConflict, true},
		{409, "text/x.tlog.size", "012\n", CodeConflict, false},
		{409, "text/x.tlog.size", "99999999999999999999\n", CodeConflict, false},
		{409, "text/plain", "12\n", CodeConflict, false},
		{422, "", "", CodeRefused, false},
		{429, "", "", CodeRefused, false},
		{500, "", "", CodeRefused, false},
	} {
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/prefix/add-checkpoint" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.Header().Set("Content-Type", tt.kind)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.body)
		}))
		lines, err := (&Client{URL: h.URL + "/prefix/"}).Add(context.Background(), 0, nil, l.note())
		h.Close()
		name := fmt.Sprintf("%d %s %.20q", tt.status, tt.kind, tt.body)
		if parley.CodeOf(err) != tt.code || lines != nil {
			t.Errorf("%s: %v, want %s", name, err, tt.code)
		}
		var conflict *Conflict
		if errors.As(err, &conflict) && conflict.HasSize != tt.hasSize {
			t.Errorf("%s: %v", name, err)
		}
		if strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%s: control characters reach the screen: %q", name, err)
		}
	}
	if _, err := (&Client{URL: "http://127.0.0.1:1"}).Add(context.Background(), 0, nil, l.note()); parley.CodeOf(err) != CodeUnreachable {
		t.Errorf("no witness there: %v", err)
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	k, err := CreateKey(path, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadKey(path)
	if err != nil || !again.Ed.Equal(k.Ed) || !again.PQ.Equal(k.PQ) || again.Name != k.Name {
		t.Fatalf("the key does not come back: %v", err)
	}
	if _, err := CreateKey(path, "witness.example"); parley.CodeOf(err) != CodeKeyFile {
		t.Errorf("a key is overwritten: %v", err)
	}
	if privateModes {
		os.Chmod(path, 0o640)
		if _, err := LoadKey(path); parley.CodeOf(err) != CodeKeyFile {
			t.Errorf("a key that others can read is used: %v", err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", strings.Repeat("n", 256)} {
		if _, err := CreateKey(path+"2", name); parley.CodeOf(err) != parley.CodeName {
			t.Errorf("name %q: %v", name, err)
		}
	}
	b, _ := os.ReadFile(path)
	for name, bad := range map[string][]byte{
		"head": bytes.Replace(b, []byte("key/1"), []byte("key/2"), 1),
		"cut":  b[:len(b)-9],
		"more": append(bytes.Clone(b), "more\n"...),
		"none": nil,
	} {
		if _, err := ParseKey(bad); parley.CodeOf(err) != CodeKeyFile {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i, v := range k.VKeys() {
		name, typ, key, err := ParseVKey(v)
		if err != nil || VKey(name, typ, key) != v {
			t.Errorf("vkey %d: %v", i, err)
		}
		if _, _, _, err := ParseVKey(strings.Replace(v, "witness", "witnesz", 1)); parley.CodeOf(err) != parley.CodeKey {
			t.Errorf("a vkey with another name: %v", err)
		}
		if _, _, _, err := ParseVKey(v[:len(v)-4]); parley.CodeOf(err) != parley.CodeKey {
			t.Errorf("a short vkey: %v", err)
		}
	}
}

func TestParseWitness(t *testing.T) {
	k := testKey(t)
	want, v := k.Witness(), k.VKeys()
	w, err := ParseWitness(v...)
	if err != nil || w.Name != want.Name || !bytes.Equal(w.Ed, want.Ed) || !bytes.Equal(w.PQ, want.PQ) {
		t.Errorf("%+v, %v", w, err)
	}
	if w, err := ParseWitness(v[0]); err != nil || w.PQ != nil {
		t.Errorf("Ed25519 alone: %+v, %v", w, err)
	}
	for name, bad := range map[string][]string{
		"none":      nil,
		"twice":     {v[0], v[0]},
		"two":       {v[0], VKey("other.example", TypePQ, want.PQ)},
		"a log key": {VKey("log.example", TypeEd, want.Ed)},
	} {
		if _, err := ParseWitness(bad...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// What WitnessConfig prints in the formats that ParseLogs reads comes back.
func TestLogLists(t *testing.T) {
	key := newLog("key name").key.Public().(ed25519.PublicKey)
	logs := []LogKey{
		{Origin: journaltest.New(2, 0, nil).Log(1, 0, 0).Origin(), Key: key},
		{Origin: "go.sum database tree", Name: "sum.golang.org", Key: key},
	}
	for _, format := range []string{FormatList, FormatNetwork} {
		var b bytes.Buffer
		if err := WitnessConfig(&b, logs, format); err != nil {
			t.Fatal(err)
		}
		got, err := ParseLogs(strings.NewReader("# comment\n\n" + b.String()))
		if err != nil || len(got) != 2 {
			t.Fatalf("%s: %v\n%s", format, err, b.String())
		}
		for i := range got {
			if got[i].Origin != logs[i].Origin || got[i].VKey() != logs[i].VKey() {
				t.Errorf("%s: log %d comes back as %+v", format, i, got[i])
			}
		}
	}
	if err := WitnessConfig(io.Discard, logs, "xml"); parley.CodeOf(err) != CodeLogList {
		t.Errorf("format xml: %v", err)
	}
	cosi := VKey("w", TypeCosign, key)
	for _, bad := range []string{"alone", "log.example not+a+key", "log.example " + cosi, "logs/v0\norigin x", "logs/v0\nspoon x"} {
		if _, err := ParseLogs(strings.NewReader(bad)); parley.CodeOf(err) != CodeLogList {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
