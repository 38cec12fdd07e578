package main

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/internal/control"
	"parley/internal/officer"
	"parley/internal/officer/officertest"
	"parley/release"
)

// Once the party has officers, what their rules give to two persons does not
// leave by a command of one, unless he says that it shall: the other side then
// sees that nobody released it. To say that a message was opened takes one.
func TestCommandsKeepToTheOfficersRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "India", "Pakistan")
	india, pakistan := w.parties[0], w.parties[1]
	at := freeAddr(t)
	_, port, _ := strings.Cut(at, ":")
	firstOfficer(t, w, india, "http://localhost:"+port)
	pakistan.serve()
	india.serve("--console", "localhost:"+port)
	pakistan.ready()
	india.ready()
	pakistan.say(parley.Flash, "EXERCISE. All firing stops at 1130Z. Confirm.")
	asked := india.has("EXERCISE. All firing stops at 1130Z. Confirm.").Ref

	for _, args := range [][]string{
		{"send", "--flash", "--type", "exercise", "EXERCISE. By one alone."},
		{"send", "--immediate", "--type", "exercise", "EXERCISE. By one alone."},
		{"answer", asked, "wilco"},
		{"answer", asked, "declined"},
		{"answer", asked, "roger", "EXERCISE. By one alone, with words."},
		{"ask", "--sent", asked, "--type", "exercise", "EXERCISE. By one alone."},
		{"translate", asked, "--lang", "ur", "--status", "courtesy", "EXERCISE. By one alone."},
	} {
		r := command(t, w.base, "", append(args, "--dir", india.dir)...)
		if r.code != 1 || !strings.Contains(r.err, string(control.CodeTwo)) || !strings.Contains(r.err, "nothing was sent") || !strings.Contains(r.err, "--alone") {
			t.Errorf("%q: exit %d\n%s%s", args, r.code, r.out, r.err)
		}
	}
	roster := release.Draft(&release.Roster{Serial: 1, RPID: "localhost", Origins: []string{"http://localhost"}}, parley.Routine, parley.ToAll)
	var at2 control.Place
	if err := india.client().Call(t.Context(), http.MethodPost, "/v1/post", control.Post{Lane: roster.Lane, Kind: roster.Kind, To: roster.To, Body: roster.Body}, &at2); parley.CodeOf(err) != control.CodeTwo {
		t.Errorf("a roster by one person: %v", err)
	}
	ok(t, w.base, "ack", asked, "--dir", india.dir)
	ok(t, w.base, "send", "--routine", "--type", "exercise", "EXERCISE. Routine takes one.", "--dir", india.dir)
	pakistan.has("EXERCISE. Routine takes one.")

	ok(t, w.base, "send", "--flash", "--type", "exercise", "--alone", "EXERCISE. Nobody else is here.", "--dir", india.dir)
	got := pakistan.has("EXERCISE. Nobody else is here.")
	if shown := ok(t, w.base, "show", got.Ref, "--dir", pakistan.dir); !strings.Contains(shown, "not stated") {
		t.Errorf("the other side does not see that nobody released it:\n%s", shown)
	}
	if slices.ContainsFunc(pakistan.inbox(), func(m control.Message) bool { return strings.Contains(m.Text, "By one alone") }) {
		t.Error("what was refused has arrived")
	}
}

// firstOfficer begins a party's book of officers, for a console of this origin.
func firstOfficer(t *testing.T, w *world, p *party, origin string) {
	t.Helper()
	b, err := officer.Open(officer.Config{Path: filepath.Join(p.dir, "officers.db"), Channel: w.channel, Party: 1, Name: p.name, RPID: "localhost", Origins: []string{origin}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	token, err := b.SetupToken()
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.BeginEnrol("127.0.0.1", token, officer.Identity{Name: "Asha Rao", Title: "Duty officer"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.FinishEnrol("127.0.0.1", token, c.ID, "key", officertest.New(t, origin).Create(t, c.Options)); err != nil {
		t.Fatal(err)
	}
}
