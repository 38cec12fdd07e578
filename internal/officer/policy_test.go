package officer

import (
	"testing"

	"parley"
)

// The full matrix: every action, every set of roles, in one line each. A dot is
// a refusal. What the policy lets through besides is found here.
func TestPolicyMatrix(t *testing.T) {
	want := map[Action]string{ // D drafter, L releaser, R reader, A administrator
		ReadRecord:     "DLRA",
		DraftMessage:   "DL..",
		SubmitDraft:    "D...",
		ReleaseDraft:   ".L..",
		ReturnDraft:    "DL..",
		Answer:         "DL..",
		TakeWatch:      "DL..",
		SeeOfficers:    "DLRA",
		ManageOfficers: "...A",
		SeeSessions:    "...A",
		ManageSelf:     "DLRA",
		OwnPasskeys:    "DLRA",
		SetRules:       "...A",
		ApproveChange:  ".L.A",
		PostRoster:     "D..A",
		SeeAudit:       ".LRA",
		Export:         ".LRA",
	}
	w := newWorld(t)
	ss := w.setup(Drafter, Releaser, Reader, Administrator)
	for a := range actions + 2 {
		row, known := want[a]
		if !known {
			row = "...."
		}
		for i, s := range ss[1:] {
			err := w.b.judge(s, a, Object{Officer: s.Officer})
			if allowed := err == nil; allowed != (row[i] != '.') {
				t.Errorf("%s by %s: %v, want %q", a, s.Roles, err, row)
			}
			// What needs nothing but a role is refused with no session, and after its end.
			if err := w.b.judge(nil, a, Object{}); parley.CodeOf(err) != CodeSession {
				t.Errorf("%s by nobody: %v", a, err)
			}
		}
		for _, s := range ss[1:] {
			if a == ManageSelf || a == OwnPasskeys {
				if err := w.b.judge(s, a, Object{Officer: 1}); parley.CodeOf(err) != CodeForbidden {
					t.Errorf("%s of another by %s: %v", a, s.Roles, err)
				}
			}
		}
	}
	if len(policy) != len(want) || len(want) != int(actions)-1 {
		t.Errorf("%d actions, %d rows, %d expected", actions-1, len(policy), len(want))
	}
	before := w.acts()[ActDenied]
	if err := w.b.May(ss[3], ReleaseDraft, Object{Draft: 9}); parley.CodeOf(err) != CodeForbidden {
		t.Errorf("a reader releases: %v", err)
	}
	if w.acts()[ActDenied] != before+1 {
		t.Error("a refusal is not in the journal")
	}
	if err := w.b.SignOut(ss[1]); err != nil {
		t.Fatal(err)
	}
	if err := w.b.May(ss[1], ReadRecord, Object{}); parley.CodeOf(err) != CodeSession {
		t.Errorf("after signing out: %v", err)
	}
}
