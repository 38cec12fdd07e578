package officer

import (
	"slices"

	"parley"
)

// Action is something that a session may ask to do. The table below says who
// may; what it does not say, nobody may.
type Action uint8

const (
	ReadRecord     Action = iota + 1 // lines, messages, duties, record health
	DraftMessage                     // save, edit and drop drafts
	SubmitDraft                      // stand for a draft as its drafter
	ReleaseDraft                     // let it out
	ReturnDraft                      // give it back with a reason
	Answer                           // acknowledge, answer, query a message
	TakeWatch                        // take the watch, offer it
	SeeOfficers                      // the list of officers
	ManageOfficers                   // add, change, remove, end sessions of others
	SeeSessions                      // of others
	ManageSelf                       // own sessions
	OwnPasskeys                      // add and remove one's own
	SetRules                         // propose rules of release
	ApproveChange                    // be the second person of a rule change or recovery
	PostRoster                       // draft the roster of keys
	SeeAudit                         // the journal
	Export                           // records and proofs as files

	actions
)

// Object is what an action is done to; fields that do not matter stay empty.
type Object struct {
	Draft   uint64
	Officer ID
	Lane    parley.Lane // of a message; a refusal's entry names it
}

// permission is one row of the table.
type permission struct {
	roles Roles // one of these is needed
	fresh bool  // signed in not long ago
	also  func(b *Book, s *Session, o Object) bool
}

var policy = map[Action]permission{
	ReadRecord:     {roles: AllRoles},
	DraftMessage:   {roles: Drafter | Releaser},
	SubmitDraft:    {roles: Drafter, also: ruleAllows(func(r Rule) []ID { return r.Draft })},
	ReleaseDraft:   {roles: Releaser, also: ruleAllows(func(r Rule) []ID { return r.Release })},
	ReturnDraft:    {roles: Drafter | Releaser},
	Answer:         {roles: Drafter | Releaser},
	TakeWatch:      {roles: Drafter | Releaser},
	SeeOfficers:    {roles: AllRoles},
	ManageOfficers: {roles: Administrator, fresh: true},
	SeeSessions:    {roles: Administrator},
	ManageSelf:     {roles: AllRoles, also: oneself},
	OwnPasskeys:    {roles: AllRoles, fresh: true, also: oneself},
	SetRules:       {roles: Administrator, fresh: true},
	ApproveChange:  {roles: Administrator | Releaser, fresh: true},
	PostRoster:     {roles: Administrator | Drafter},
	SeeAudit:       {roles: Administrator | Reader | Releaser},
	Export:         {roles: Administrator | Reader | Releaser},
}

// oneself is the default: without an officer in the object it is he.
func oneself(b *Book, s *Session, o Object) bool { return o.Officer == 0 || s.Officer == o.Officer }

// ruleAllows asks the rule of a draft's line and precedence; without a draft
// the role decides. A rule that names nobody means everybody with the role.
func ruleAllows(named func(Rule) []ID) func(*Book, *Session, Object) bool {
	return func(b *Book, s *Session, o Object) bool {
		d := b.state.drafts[o.Draft]
		if o.Draft == 0 || d != nil && d.Roster { // the roster is everybody's
			return true
		}
		if d == nil {
			return false
		}
		list := named(b.state.rule(d.Line, d.Message.Lane))
		return len(list) == 0 || slices.Contains(list, s.Officer)
	}
}

// judge is the decision alone: nil, CodeSession, CodeFresh or CodeForbidden.
func (b *Book) judge(s *Session, a Action, o Object) error {
	if s == nil {
		return parley.Errorf(CodeSession, "nobody is signed in here")
	}
	if err := b.alive(s.Hash); err != nil {
		return err
	}
	open := b.state.sessions[s.Hash]
	p := b.state.active(open.officer)
	row, ok := policy[a]
	// The roles are those of now, not those the page was made with.
	if !ok || p == nil || open.officer != s.Officer || p.Roles&row.roles == 0 || row.also != nil && !row.also(b, s, o) {
		return parley.Errorf(CodeForbidden, "this officer may not do that")
	}
	if row.fresh && !b.cfg.Demo && b.cfg.Now().Sub(b.live[s.Hash].since) > FreshLimit {
		return parley.Errorf(CodeFresh, "the passkey was asked too long ago")
	}
	return nil
}

// may is judge, and enters a refusal in the journal.
func (b *Book) may(s *Session, a Action, o Object) error {
	if b.failed != nil {
		return b.failed
	}
	err := b.judge(s, a, o)
	if parley.CodeOf(err) != CodeForbidden || b.limits.allow(perDenied, "denied", s.Officer.String(), b.cfg.Now()) != nil {
		return err
	}
	about := ""
	switch {
	case o.Draft != 0:
		about = object("draft", o.Draft)
	case o.Officer != 0:
		about = object("officer", uint64(o.Officer))
	case a == Answer:
		about = o.Lane.String()
	}
	if failed := b.commit(b.batch(s).add(about, &refusal{name: ActDenied, Why: a.String()})); failed != nil {
		return failed
	}
	return err
}

// May is nil if the policy lets the session do it. A refusal is audited.
func (b *Book) May(s *Session, a Action, o Object) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.may(s, a, o)
}

// Can is May without the audit, for pages that show what is possible.
func (b *Book) Can(s *Session, a Action, o Object) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.judge(s, a, o)
	return err == nil || parley.CodeOf(err) == CodeFresh
}

var actionNames = [...]string{"none", "read-record", "draft-message", "submit-draft", "release-draft", "return-draft", "answer", "take-watch",
	"see-officers", "manage-officers", "see-sessions", "manage-self", "own-passkeys", "set-rules", "approve-change", "post-roster", "see-audit", "export"}

func (a Action) String() string {
	if a < actions {
		return actionNames[a]
	}
	return "action " + itoa(uint64(a))
}
