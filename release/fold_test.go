package release

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
)

// A release speaks for the next entry of its own log, for nothing else.
func TestSpeaksForTheNextEntryOnly(t *testing.T) {
	to := parley.AudienceOf(pakistan)
	private := text("hello")
	private.To = to
	slow := text("hello")
	slow.Lane = parley.Priority
	for name, c := range map[string]struct {
		write func(b *book, on parley.Ref, words parley.Draft) parley.Ref // returns the entry asked about
		want  State
		code  parley.Code
	}{
		"right behind it": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			b.add(india, words)
			return b.add(india, text("hello"))
		}, Held, ""},
		"another entry in between": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			b.add(india, words)
			b.add(india, text("other"))
			return b.add(india, text("hello"))
		}, NotStated, ""},
		"the other entry itself": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			b.add(india, words)
			return b.add(india, text("other"))
		}, Broken, CodeDigest},
		"one letter edited": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			b.add(india, words)
			return b.add(india, text("hallo"))
		}, Broken, CodeDigest},
		"another party's entry": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			b.add(india, words)
			return b.add(pakistan, text("hello"))
		}, NotStated, ""},
		"the same text in another lane": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			words.Lane = parley.Priority
			b.add(india, words)
			return b.add(india, slow)
		}, Broken, CodeDigest},
		"the same text to fewer readers": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			words.To = to
			b.add(india, words)
			return b.add(india, private)
		}, Broken, CodeDigest},
		"read by more than the release": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			words.To = to
			b.add(india, words)
			return b.add(india, text("hello"))
		}, Broken, CodeAudience},
		"another kind": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			b.add(india, words)
			p := text("hello")
			p.Kind = parley.KindAnswer
			return b.add(india, p)
		}, Broken, CodeDigest},
		"a release before a release": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			b.add(india, words)
			return b.add(india, words)
		}, NotStated, ""},
		"posted by another party": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			b.add(pakistan, words)
			return b.add(pakistan, text("hello"))
		}, Broken, CodeNoRoster},
		"in a new generation": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			b.gen = parley.Gen{2}
			b.add(india, words)
			return b.add(india, text("hello"))
		}, Held, ""},
		"not in its form": {func(b *book, on parley.Ref, words parley.Draft) parley.Ref {
			words.Body = append(words.Body, 0)
			b.add(india, words)
			return b.add(india, text("hello"))
		}, Broken, parley.CodeTrailing},
	} {
		b := newBook()
		on := b.roster(india, roster(1))
		ref := c.write(b, on, Draft(b.speak(india, on, text("hello"), "a", "b"), parley.Flash, parley.ToAll))
		if s := b.desk.Of(ref); s.State != c.want || parley.CodeOf(s.Why) != c.code {
			t.Errorf("%s: %v", name, s)
		}
	}
}

// Approvals are good for one entry. The same content posted again with the
// same release, or with one of its approvals, is not released.
func TestReplay(t *testing.T) {
	b := newBook()
	on := b.roster(india, roster(1))
	p := text("hello")
	words := b.speak(india, on, p, "a", "b")
	post := func(r *Release) parley.Ref {
		b.add(india, Draft(r, p.Lane, p.To))
		return b.add(india, p)
	}
	first := post(words)
	again := post(words)
	half := *words
	half.Drafted = key("c").Approve(rpID, origin, b.chID, india, StepDraft, nonce("fresh"), Digest(p))
	mixed := post(&half)
	malleable := *words
	malleable.Released.Signature = highS(words.Released.Signature)
	other := post(&malleable)
	fresh := b.speak(india, on, p, "a", "b")
	fresh.Drafted = key("a").Approve(rpID, origin, b.chID, india, StepDraft, nonce("1"), Digest(p))
	fresh.Released = key("b").Approve(rpID, origin, b.chID, india, StepRelease, nonce("2"), Digest(p))
	anew := post(fresh)
	b.gen = parley.Gen{2}
	later := post(words)
	for name, c := range map[string]struct {
		ref  parley.Ref
		want parley.Code
	}{
		"first": {first, ""}, "again": {again, CodeUsed}, "one approval again": {mixed, CodeUsed},
		"the other s": {other, CodeUsed}, "approved anew": {anew, ""}, "in a new generation": {later, CodeUsed},
	} {
		if s := b.desk.Of(c.ref); parley.CodeOf(s.Why) != c.want || (s.State == Held) != (c.want == "") {
			t.Errorf("%s: %v", name, s)
		}
	}
}

// A release that spoke for nothing spends nothing: the officers' approvals
// are still good.
func TestSpentOnNothing(t *testing.T) {
	b := newBook()
	on := b.roster(india, roster(1))
	words := Draft(b.speak(india, on, text("hello"), "a", "b"), parley.Flash, parley.ToAll)
	b.add(india, words)
	b.add(india, text("other"))
	b.addAs(india, words, parley.AfterRevocation)
	b.addAs(india, text("hello"), parley.AfterRevocation)
	b.add(india, words)
	if s := b.desk.Of(b.add(india, text("hello"))); s.State != Held {
		t.Error(s)
	}
}

// Two keys of one office are one officer.
func TestTwoKeysOfOneOffice(t *testing.T) {
	b := newBook()
	r := roster(1)
	r.Keys[1].Title = r.Keys[0].Title
	on := b.roster(india, r)
	if s := b.desk.Of(b.release(india, on, text("hello"), "a", "b")); parley.CodeOf(s.Why) != CodeSameOffice {
		t.Error(s)
	}
	if s := b.desk.Of(b.release(india, on, text("hello"), "a", "a")); parley.CodeOf(s.Why) != CodeSameKey {
		t.Error(s)
	}
}

// What has no effect in the record releases nothing, and a roster without
// effect names nobody. Standings may change, as when a revocation arrives.
func TestStandings(t *testing.T) {
	for _, c := range []struct {
		roster, words, entry parley.Standing
		want                 parley.Code
	}{
		{parley.InForce, parley.InForce, parley.InForce, ""},
		{parley.BeforeBreak, parley.DisputedCitation, parley.BeforeBreak, ""},
		{parley.InForce, parley.AfterRevocation, parley.InForce, CodeStanding},
		{parley.InForce, parley.InForce, parley.AfterRevocation, CodeStanding},
		{parley.AfterRevocation, parley.InForce, parley.InForce, CodeNoRoster},
	} {
		for _, late := range []bool{false, true} {
			b := newBook()
			as := func(s parley.Standing) parley.Standing {
				if late {
					return parley.InForce
				}
				return s
			}
			on := b.addAs(india, Draft(roster(1), parley.Routine, parley.ToAll), as(c.roster))
			b.addAs(india, Draft(b.speak(india, on, text("x"), "a", "b"), parley.Flash, parley.ToAll), as(c.words))
			ref := b.addAs(india, text("x"), as(c.entry))
			for i, s := range []parley.Standing{c.roster, c.words, c.entry} {
				p := b.all[i]
				p.Standing = s
				b.desk.Apply(p)
			}
			if s := b.desk.Of(ref); parley.CodeOf(s.Why) != c.want || (s.State == Held) != (c.want == "") {
				t.Errorf("%+v: %v", c, s)
			}
		}
	}
}

// story writes all that may matter to the order of arrival.
func story() *book {
	b := newBook()
	one := b.roster(india, roster(1))
	b.release(india, one, text("first"), "a", "b")
	b.add(india, text("plain"))
	two := roster(2)
	two.Keys = two.Keys[1:]
	on := b.release(india, one, Draft(two, parley.Routine, parley.ToAll), "a", "d")
	b.release(india, on, text("second"), "b", "d")
	b.release(india, one, text("old roster"), "a", "b")
	words := b.speak(india, on, text("again"), "b", "d")
	for range 2 {
		b.add(india, Draft(words, parley.Flash, parley.ToAll))
		b.add(india, text("again"))
	}
	private := text("for pakistan")
	private.To = parley.AudienceOf(pakistan)
	b.release(india, on, private, "b", "d")
	theirs := b.roster(pakistan, roster(7))
	b.release(pakistan, theirs, text("answer"), "c", "d")
	b.addAs(pakistan, Draft(roster(8), parley.Routine, parley.ToAll), parley.AfterRevocation)
	b.add(pakistan, parley.Draft{Lane: parley.Flash, Kind: KindRelease, Body: []byte("nonsense")})
	b.add(pakistan, text("behind nonsense"))
	b.gen = parley.Gen{2}
	b.roster(india, roster(3))
	b.roster(india, roster(3))
	return b
}

// Any order that keeps each log's own order gives the same desk, and so does
// any order at all: what was committed to nobody is opened late.
func TestAnyOrder(t *testing.T) {
	b := story()
	want := b.desk.Dump()
	for _, s := range []string{"current true", "released by two officers", string(CodeOldRoster), string(CodeUsed), "by the node alone", string(parley.CodeType)} {
		if !strings.Contains(want, s) {
			t.Errorf("the story lacks %q:\n%s", s, want)
		}
	}
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		order := slices.Clone(b.all)
		if seed%2 == 0 {
			order = inLogOrder(rng, b.all)
		} else {
			rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		d := New(channel, parley.Party(1+seed%3))
		for _, p := range order {
			p.Stored = time.Unix(int64(seed), 0) // local, and so without effect
			d.Apply(p)
			if rng.IntN(3) == 0 {
				d.Apply(b.all[rng.IntN(1+slices.IndexFunc(b.all, func(x parley.Posted) bool { return x.Ref == p.Ref }))])
			}
		}
		if got := d.Dump(); got != want {
			t.Fatalf("order %d:\n%s\nnot:\n%s", seed, got, want)
		}
	}
}

// inLogOrder merges the logs at random.
func inLogOrder(rng *rand.Rand, all []parley.Posted) (out []parley.Posted) {
	logs := map[place][]parley.Posted{}
	var keys []place
	for _, p := range all {
		k := placeOf(p.Ref).log()
		if logs[k] == nil {
			keys = append(keys, k)
		}
		logs[k] = append(logs[k], p)
	}
	for len(keys) > 0 {
		i := rng.IntN(len(keys))
		k := keys[i]
		out = append(out, logs[k][0])
		if logs[k] = logs[k][1:]; len(logs[k]) == 0 {
			keys = slices.Delete(keys, i, i+1)
		}
	}
	return out
}

// A log without releases costs the desk nothing for its entries.
func TestKeepsLittle(t *testing.T) {
	b := newBook()
	for range 100 {
		b.add(india, text("x"))
	}
	if n := len(b.desk.followers); n != 0 {
		t.Errorf("%d entries are kept", n)
	}
}
