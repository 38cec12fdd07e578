package officer

import (
	"cmp"
	"slices"
	"time"

	"parley"
	"parley/release"
)

// linkSlack allows for a clock that was set back a little since a link was
// made; a link that would last longer than it may is refused.
const linkSlack = time.Minute

// officer is a person for the caller.
func (b *Book) officer(p *person) Officer {
	o := p.Officer
	o.Keys = nil
	for _, c := range p.creds {
		k := c.Passkey
		if b.state.roster != nil {
			r := b.state.roster.Find(c.Key)
			k.InRoster = r != nil && r.Title == p.Title && r.Functions == b.functions(p, c)
		}
		o.Keys = append(o.Keys, k)
	}
	return o
}

// Officers lists everybody, also those who were removed, by number.
func (b *Book) Officers() (list []Officer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.state.people() {
		list = append(list, b.officer(p))
	}
	return list
}

// Officer is one of them.
func (b *Book) Officer(o ID) (*Officer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.state.officers[o]
	if p == nil {
		return nil, false
	}
	out := b.officer(p)
	return &out, true
}

// AddOfficer enters a new officer and makes his one-time link. In a
// demonstration he needs none.
func (b *Book) AddOfficer(s *Session, who Identity) (o ID, token string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ManageOfficers, Object{}); err != nil {
		return 0, "", err
	}
	return b.enter(s, who)
}

func (b *Book) enter(s *Session, who Identity) (o ID, token string, err error) {
	if err := b.checkIdentity(0, who); err != nil {
		return 0, "", err
	}
	handle := make([]byte, 16)
	if err := b.random(handle); err != nil {
		return 0, "", err
	}
	o = b.state.nextID
	x := b.batch(s).add(object("officer", uint64(o)), &identity{name: ActOfficer, Officer: o, Handle: handle, Who: who})
	if b.cfg.Demo {
		k := b.software(o).Officer(who.Title, release.MayDraft)
		x.add(object("officer", uint64(o)), &passkeyEvent{Officer: o, Alg: k.Alg, Raw: k.Key, Label: "software key of the demonstration"})
		return o, "", b.commit(x)
	}
	if token, err = b.newLink(x, o, false); err != nil {
		return 0, "", err
	}
	return o, token, b.commit(x)
}

// DemoOfficer enters an officer of a demonstration, who may sign in at once.
func (b *Book) DemoOfficer(who Identity) (ID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.cfg.Demo {
		return 0, parley.Errorf(CodeForbidden, "this is no demonstration")
	}
	o, _, err := b.enter(nil, who)
	return o, err
}

// NewLink makes a new link for an officer who has not enrolled yet.
func (b *Book) NewLink(s *Session, o ID) (token string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ManageOfficers, Object{Officer: o}); err != nil {
		return "", err
	}
	if p := b.state.officers[o]; p == nil || p.State != Invited {
		return "", parley.Errorf(CodeOfficer, "officer %d does not wait for a link; after a loss, ask for recovery", o)
	}
	x := b.batch(s)
	if token, err = b.newLink(x, o, false); err != nil {
		return "", err
	}
	return token, b.commit(x)
}

// ChangeOfficer changes name, title, roles and language. A change of roles
// ends the officer's sessions.
func (b *Book) ChangeOfficer(s *Session, o ID, who Identity) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ManageOfficers, Object{Officer: o}); err != nil {
		return err
	}
	p := b.state.officers[o]
	if p == nil || p.State == Removed {
		return parley.Errorf(CodeOfficer, "there is no officer %d", o)
	}
	if err := b.checkIdentity(o, who); err != nil {
		return err
	}
	if p.State == Active && p.Roles&^who.Roles&Administrator != 0 && b.state.administrators() == 1 {
		return parley.Errorf(CodeLast, "officer %d is the last administrator", o)
	}
	x := b.batch(s).add(object("officer", uint64(o)), &identity{name: ActChanged, Officer: o, Who: who})
	if p.Roles != who.Roles {
		b.endAll(x, o, "roles changed")
	}
	return b.commit(x)
}

// RemoveOfficer removes an officer for good: sessions end, passkeys and links
// are void, and so are approvals that he gave and that did not go out.
func (b *Book) RemoveOfficer(s *Session, o ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ManageOfficers, Object{Officer: o}); err != nil {
		return err
	}
	p := b.state.officers[o]
	if p == nil || p.State == Removed {
		return parley.Errorf(CodeOfficer, "there is no officer %d", o)
	}
	if p.State == Active && p.Roles&Administrator != 0 && b.state.administrators() == 1 {
		return parley.Errorf(CodeLast, "officer %d is the last administrator", o)
	}
	x := b.batch(s)
	b.endAll(x, o, "officer removed")
	return b.commit(x.add(object("officer", uint64(o)), &gone{name: ActRemoved, Officer: o}))
}

// AskRecovery is the first of two officers who let a third enrol again.
func (b *Book) AskRecovery(s *Session, o ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ApproveChange, Object{Officer: o}); err != nil {
		return err
	}
	switch {
	case s.Officer == o:
		return parley.Errorf(CodeSame, "nobody asks for himself")
	case b.state.active(o) == nil || b.state.recover[o] != nil:
		return parley.Errorf(CodeOfficer, "officer %d is not active, or recovery was asked for already", o)
	}
	return b.commit(b.batch(s).add(object("officer", uint64(o)), &recoveryEvent{name: ActRecovery, Officer: o}))
}

// ApproveRecovery is the second. The link can be made 24 hours later.
func (b *Book) ApproveRecovery(s *Session, o ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ApproveChange, Object{Officer: o}); err != nil {
		return err
	}
	r := b.state.recover[o]
	switch {
	case r == nil || r.Approved != 0:
		return parley.Errorf(CodeOfficer, "no recovery of officer %d waits for a second officer", o)
	case s.Officer == o || s.Officer == r.Asked:
		return parley.Errorf(CodeSame, "another officer must approve it")
	case b.state.active(r.Asked) == nil:
		return parley.Errorf(CodeSame, "the officer who asked is no officer any more; ask again")
	}
	if err := b.second(s, r.Since); err != nil {
		return err
	}
	open := b.cfg.Now().Add(RecoveryDelay)
	return b.commit(b.batch(s).add(object("officer", uint64(o)), &recoveryEvent{name: ActRecoveryTwo, Officer: o, Open: open}))
}

// second asks whether an officer counts as the second person of a change that
// was begun at since. An administrator alone can enter an officer and enrol
// him with a passkey of his own; so, once a roster was posted, only officers
// that stand in it count, whom two let in. Where it names no two of the
// officers of now, a day must pass, in which everybody is told.
func (b *Book) second(s *Session, since time.Time) error {
	r := b.state.roster
	switch {
	case r == nil:
		return nil
	case b.pair(r):
		for _, c := range b.state.active(s.Officer).creds {
			if r.Find(c.Key) != nil {
				return nil
			}
		}
		return parley.Errorf(CodeRoster, "no passkey of this officer is in the roster that was posted")
	case b.cfg.Now().Sub(since) < RecoveryDelay:
		return parley.Errorf(CodeWait, "the roster names no two officers of now; it can be approved 24 hours after it was begun")
	}
	return nil
}

// StopRecovery ends it: the officer himself may, and everybody who could
// approve.
func (b *Book) StopRecovery(s *Session, o ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	action := ApproveChange
	if s != nil && s.Officer == o {
		action = ManageSelf
	}
	if err := b.may(s, action, Object{Officer: o}); err != nil {
		return err
	}
	if b.state.recover[o] == nil {
		return parley.Errorf(CodeOfficer, "no recovery of officer %d is open", o)
	}
	return b.commit(b.batch(s).add(object("officer", uint64(o)), &recoveryEvent{name: ActRecoveryEnded, Officer: o}))
}

// RecoveryLink makes the link once its time has come. Enrolling with it
// removes the officer's former passkeys and ends his sessions.
func (b *Book) RecoveryLink(s *Session, o ID) (token string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ApproveChange, Object{Officer: o}); err != nil {
		return "", err
	}
	r := b.state.recover[o]
	if r == nil || r.Approved == 0 {
		return "", parley.Errorf(CodeOfficer, "no recovery of officer %d was approved", o)
	}
	if now := b.cfg.Now(); now.Before(r.Open) {
		return "", parley.Errorf(CodeWait, "the link can be made at %s", r.Open.UTC().Format(time.RFC3339))
	}
	x := b.batch(s)
	if token, err = b.newLink(x, o, true); err != nil {
		return "", err
	}
	return token, b.commit(x)
}

// Recoveries lists those that are open.
func (b *Book) Recoveries() (list []Recovery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.state.recover {
		x := *r
		x.Name = b.state.name(r.Officer)
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, c Recovery) int { return cmp.Compare(a.Officer, c.Officer) })
	return list
}

// Watch is who has the watch.
func (b *Book) Watch() Watch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.state.watches); n > 0 {
		return b.watch(b.state.watches[n-1])
	}
	return Watch{}
}

func (b *Book) watch(w Watch) Watch {
	if p := b.state.officers[w.Officer]; p != nil {
		w.Name, w.Title = p.Name, p.Title
	}
	return w
}

// WatchHistory lists the last n, newest first.
func (b *Book) WatchHistory(n int) (list []Watch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.state.watches) - 1; i >= 0 && len(list) < n; i-- {
		list = append(list, b.watch(b.state.watches[i]))
	}
	return list
}

// TakeWatch takes the watch. Without the holder's offer it needs a note that
// says why; from is the officer who has it as the page showed, 0 for nobody.
func (b *Book) TakeWatch(s *Session, from ID, note string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, TakeWatch, Object{}); err != nil {
		return err
	}
	var now Watch
	if n := len(b.state.watches); n > 0 {
		now = b.state.watches[n-1]
	}
	switch {
	case now.Officer != from:
		return parley.Errorf(CodeWatch, "officer %d has the watch by now", now.Officer)
	case now.Officer == s.Officer:
		return parley.Errorf(CodeWatch, "this officer has the watch already")
	case now.Officer != 0 && now.Offered.IsZero() && note == "":
		return parley.Errorf(CodeReason, "the watch was not offered; say why it is taken")
	}
	return b.commit(b.batch(s).add("watch", &watchEvent{name: ActWatch, Note: clip(note, 2000)}))
}

// OfferWatch leaves a hand-over note. Its holder keeps the watch until another
// takes it.
func (b *Book) OfferWatch(s *Session, note string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, TakeWatch, Object{}); err != nil {
		return err
	}
	if n := len(b.state.watches); n == 0 || b.state.watches[n-1].Officer != s.Officer {
		return parley.Errorf(CodeWatch, "this officer does not have the watch")
	}
	if note == "" {
		return parley.Errorf(CodeReason, "a hand-over has a note")
	}
	return b.commit(b.batch(s).add("watch", &watchEvent{name: ActHanding, Note: clip(note, 2000)}))
}

// Rules lists the rules in force, and whether releasers' passkeys must stay on
// their device.
func (b *Book) Rules() (all []Rule, deviceBound bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.state.rules), b.state.bound
}

// RuleFor is the rule for messages of a line and precedence.
func (b *Book) RuleFor(line uint64, lane parley.Lane) Rule {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.rule(line, lane)
}

// ProposeRules proposes rules in place of all. They are in force when another
// officer approves them. It replaces a former proposal.
func (b *Book) ProposeRules(s *Session, all []Rule, deviceBound bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, SetRules, Object{}); err != nil {
		return err
	}
	if err := b.checkRules(all); err != nil {
		return err
	}
	return b.commit(b.batch(s).add("rules", &rulesEvent{name: ActRules, Rules: all, Bound: deviceBound}))
}

func (b *Book) checkRules(all []Rule) error {
	type place struct {
		line uint64
		lane parley.Lane
	}
	seen := map[place]bool{}
	for _, r := range all {
		at := place{r.Line, r.Lane}
		if r.Lane >= parley.Lanes || r.Line > parley.MaxUint || seen[at] || r.Persons != 1 && r.Persons != 2 || len(r.Draft) > 64 || len(r.Release) > 64 {
			return parley.Errorf(CodeRule, "a rule for line %d, %s", r.Line, r.Lane)
		}
		seen[at] = true
		for _, o := range slices.Concat(r.Draft, r.Release) {
			if b.state.officers[o] == nil {
				return parley.Errorf(CodeRule, "there is no officer %d", o)
			}
		}
		if r.Persons == 2 && len(r.Draft) == 1 && slices.Equal(r.Draft, r.Release) {
			return parley.Errorf(CodeRule, "one officer alone cannot be two persons")
		}
	}
	for lane := range parley.Lane(parley.Lanes) {
		if !seen[place{0, lane}] || len(all) > 512 {
			return parley.Errorf(CodeRule, "every precedence needs a general rule, and 512 are the most")
		}
	}
	return nil
}

// ProposedRules is the open proposal, if there is one.
func (b *Book) ProposedRules() (all []Rule, deviceBound bool, by ID, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.state.proposed; p != nil {
		return slices.Clone(p.Rules), p.Bound, b.state.proposer, true
	}
	return nil, false, 0, false
}

// ApproveRules puts the proposal in force that the page showed. Another
// officer than the proposer does.
func (b *Book) ApproveRules(s *Session, shown []Rule, deviceBound bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ApproveChange, Object{}); err != nil {
		return err
	}
	p := b.state.proposed
	switch {
	case p == nil:
		return parley.Errorf(CodeRule, "no rules are proposed")
	case b.state.proposer == s.Officer:
		return parley.Errorf(CodeSame, "another officer must approve the rules")
	case b.state.active(b.state.proposer) == nil:
		return parley.Errorf(CodeSame, "the officer who proposed the rules is no officer any more")
	case string(encode(&rulesEvent{Rules: shown, Bound: deviceBound})) != string(encode(p)):
		return parley.Errorf(CodeStale, "other rules are proposed by now")
	}
	if err := b.second(s, b.state.askedAt); err != nil {
		return err
	}
	return b.commit(b.batch(s).add("rules", &rulesEvent{name: ActRulesSet, Rules: p.Rules, Bound: p.Bound}))
}

// DropRules withdraws the proposal.
func (b *Book) DropRules(s *Session) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ApproveChange, Object{}); err != nil {
		return err
	}
	if b.state.proposed == nil {
		return parley.Errorf(CodeRule, "no rules are proposed")
	}
	return b.commit(b.batch(s).add("rules", &rulesEvent{name: ActRules}))
}
