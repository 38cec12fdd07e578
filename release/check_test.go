package release

import (
	"math/rand/v2"
	"testing"
	"time"

	"parley"
)

// What may not be posted is refused with its code before anything is written.
func TestCheck(t *testing.T) {
	b := newBook()
	now := time.Unix(start+1000, 0)
	draft := func(r *Roster) parley.Draft { return Draft(r, parley.Routine, parley.ToAll) }
	if _, err := b.desk.Compose(text("x"), Approval{}, Approval{}); parley.CodeOf(err) != CodeNoRoster {
		t.Errorf("composed without a roster: %v", err)
	}
	old := b.roster(india, roster(1))
	on := b.roster(india, roster(5))
	used := b.speak(india, on, text("used"), "a", "b")
	b.add(india, Draft(used, parley.Flash, parley.ToAll))
	b.add(india, text("used"))
	good := func(p parley.Draft, names ...string) parley.Draft {
		names = append(names, "a", "b")
		w, err := b.desk.Compose(p, approve(b.chID, india, names[0], StepDraft, p), approve(b.chID, india, names[1], StepRelease, p))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	private := text("x")
	private.To = parley.AudienceOf(pakistan)
	broken := good(text("x"))
	broken.Body = append(broken.Body, 0)
	mine := text("x")
	mine.To = parley.AudienceOf(india)
	for name, c := range map[string]struct {
		words, next parley.Draft
		want        parley.Code
	}{
		"good":                      {good(text("x")), text("x"), ""},
		"another text":              {good(text("x")), text("y"), CodeDigest},
		"other readers":             {good(text("x")), private, CodeAudience},
		"to fewer readers":          {good(private), private, ""},
		"used":                      {Draft(used, parley.Flash, parley.ToAll), text("used"), CodeUsed},
		"of a release":              {good(good(text("x"))), good(text("x")), CodeNotReleasing},
		"an old roster":             {Draft(b.speak(india, old, text("x"), "a", "b"), parley.Flash, parley.ToAll), text("x"), CodeOldRoster},
		"same key":                  {good(text("x"), "b", "b"), text("x"), CodeSameKey},
		"may not release":           {good(text("x"), "a", "c"), text("x"), CodeFunction},
		"an unknown key":            {good(text("x"), "a", "z"), text("x"), CodeUnknownKey},
		"not in its form":           {broken, text("x"), parley.CodeTrailing},
		"no release":                {draft(roster(6)), text("x"), CodeAlone},
		"to its author":             {good(mine), mine, parley.CodeAudience},
		"a roster, by the officers": {good(draft(roster(6))), draft(roster(6)), ""},
	} {
		err := b.desk.CheckTogether(c.words, c.next, now)
		if parley.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		p    parley.Draft
		at   uint64
		want parley.Code
	}{
		"the next roster":                 {draft(roster(6)), start + 1000, ""},
		"a gap in serials":                {draft(roster(60)), start + 1000, ""},
		"the same serial":                 {draft(roster(5)), start + 1000, CodeSerial},
		"the clock went back":             {draft(roster(6)), start - 100, CodeClock},
		"by more than waiting makes good": {draft(roster(6)), start - 100000, ""},
		"not to all":                      {Draft(roster(6), parley.Routine, parley.AudienceOf(pakistan)), start + 1000, CodeNotAll},
		"not in ROUTINE":                  {Draft(roster(6), parley.Flash, parley.ToAll), start + 1000, CodeNotAll},
		"no such lane":                    {Draft(roster(6), 5, parley.ToAll), start + 1000, parley.CodeOutOfRange},
		"a release alone":                 {good(text("x")), start + 1000, CodeAlone},
		"another desk's kind":             {text("x"), start + 1000, parley.CodeOutOfRange},
	} {
		if err := b.desk.Check(c.p, time.Unix(int64(c.at), 0)); parley.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if b.desk.Due(now) != nil {
		t.Error("somebody owes a release")
	}
}

// What Operations proposes may be posted, and what was posted holds. It makes
// rosters, rosters that officers released, and releases.
func TestOperations(t *testing.T) {
	b := newBook()
	rng := rand.New(rand.NewPCG(1, 1))
	made := map[string]int{}
	for range 60 {
		p := text("simulated")
		p.Lane = parley.Lane(rng.IntN(parley.Lanes))
		for _, ds := range Operations(rng, b.desk, p, time.Unix(int64(b.clock), 0)) {
			if rng.IntN(3) > 0 {
				continue
			}
			var ref parley.Ref
			for _, d := range ds {
				ref = b.add(india, d)
			}
			s := b.desk.Of(ref)
			switch {
			case len(ds) == 1 && ds[0].Kind == KindRoster:
				made["roster"]++
			case s.State == Held && ds[1].Kind == KindRoster:
				made["released roster"]++
			case s.State == Held:
				made["release"]++
			default:
				t.Errorf("%s: %v", ref, s)
			}
			break // the others may rest on what is replaced now
		}
	}
	if len(made) != 3 {
		t.Errorf("made %v", made)
	}
}
