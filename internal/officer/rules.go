package officer

import (
	"slices"

	"parley"
	"parley/release"
)

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

// Two reports whether it takes two persons to let a draft out on a line: by the
// rule for it, and always for a roster. A book without officers asks for nobody.
func (b *Book) Two(line uint8, d parley.Draft) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.state.officers) > 0 && b.takes(d.Kind == release.KindRoster, uint64(line), d.Lane) == 2
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
