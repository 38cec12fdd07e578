package docket

import (
	"slices"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/journal/journaltest"
	"parley/release"
)

func charter() *parley.Charter {
	return &parley.Charter{Members: []parley.Member{{Index: 1, Name: "India"}, {Index: 2, Name: "Pakistan"}}}
}

func entry(d *Docket, by parley.Party, p parley.Draft, index, now uint64) parley.Ref {
	at := time.Unix(int64(now), 0)
	r := parley.Ref{Party: by, Lane: p.Lane, Index: index}
	d.Apply(parley.Posted{Ref: r, Entry: p.Entry(at, nil), Stored: at})
	return r
}

// An entry of an unknown kind is shown once, counts as a proof of life, and
// disturbs nothing; the protocol's own kinds are no news.
func TestUnknown(t *testing.T) {
	d := New(charter(), 1)
	entry(d, 2, parley.Draft{Lane: 3, Kind: 700, Body: []byte("?")}, 5, 100)
	entry(d, 2, parley.Draft{Lane: 3, Kind: 700, Body: []byte("?")}, 5, 100)
	entry(d, 2, parley.Draft{Lane: 0, Kind: 31}, 9, 100)
	entry(d, 2, parley.Draft{Lane: 3, Kind: parley.KindKeys}, 0, 100)
	us := d.Unknown()
	if len(us) != 2 || us[0].Kind != 31 || us[1].Kind != 700 || us[1].Size != 1 {
		t.Errorf("unknown: %+v", us)
	}
	err := d.Check(parley.Draft{Kind: 700}, time.Unix(100, 0))
	if parley.CodeOf(err) != hotline.CodeUnknownKind {
		t.Errorf("a draft of an unknown kind: %v", err)
	}
}

// Entries, receipts and drafts reach the desk, and its duties come back.
func TestHotline(t *testing.T) {
	d := New(charter(), 1)
	now := time.Unix(2000, 0)
	slow := entry(d, 1, hotline.Draft(&hotline.Text{Text: "slow"}, parley.Priority, parley.ToAll), 0, 1000)
	fast := entry(d, 1, hotline.Draft(&hotline.Text{Text: "fast"}, parley.Flash, parley.ToAll), 0, 1000)
	d.Proof(parley.Receipted{By: 2, Head: parley.Head{Party: 1, Lane: parley.Flash, Size: 1}, Time: 1001})
	due := d.Due(now)
	if len(due) != 2 || due[0].Ref != fast || due[0].What != hotline.DutyOpen || !due[0].Late ||
		due[1].Ref != slow || due[1].What != hotline.DutyDeliver || due[1].Late {
		t.Errorf("duties: %+v", due)
	}
	// A desk that comes to owe something must come to be counted here.
	if ours, theirs := d.Urgent(now, 1); ours.All+theirs.All != len(due) || len(ours.Duties) != 1 || ours.Duties[0] != due[1] || len(theirs.Duties) != 1 || theirs.Duties[0] != due[0] {
		t.Errorf("the most urgent: %+v, %+v", ours, theirs)
	}
	if err := d.Check(hotline.Draft(&hotline.Answer{About: fast, Code: hotline.Roger}, 0, parley.ToAll), now); parley.CodeOf(err) != hotline.CodeNotAddressed {
		t.Errorf("answering oneself: %v", err)
	}
	if !slices.IsSortedFunc(due, func(a, b parley.Duty) int { return a.By.Compare(b.By) }) {
		t.Error("duties are not in order of time")
	}
}

// Drafts that are posted together are checked each by its desk, and a release
// with the draft behind it.
func TestCheckTogether(t *testing.T) {
	d := New(journaltest.New(2, 0, nil).Charter, 1)
	now := time.Unix(2000, 0)
	message := hotline.Draft(&hotline.Text{Text: "x"}, parley.Flash, parley.ToAll)
	late := hotline.Draft(&hotline.Text{Text: "x", ReplyBy: 1}, parley.Flash, parley.ToAll)
	words := release.Draft(&release.Release{Digest: release.Digest(message), Roster: parley.Ref{Party: 1, Lane: parley.Routine},
		Drafted:  release.Approval{Key: release.ID{1}, AuthData: make([]byte, 37), ClientData: []byte("{}"), Signature: make([]byte, 64)},
		Released: release.Approval{Key: release.ID{2}, AuthData: make([]byte, 37), ClientData: []byte("{}"), Signature: make([]byte, 64)}}, parley.Flash, parley.ToAll)
	for name, c := range map[string]struct {
		drafts []parley.Draft
		want   parley.Code
	}{
		"two messages":         {[]parley.Draft{message, message}, ""},
		"the second is late":   {[]parley.Draft{message, late}, hotline.CodePast},
		"a release alone":      {[]parley.Draft{words}, release.CodeAlone},
		"of the wrong draft":   {[]parley.Draft{words, late}, release.CodeDigest},
		"without a roster":     {[]parley.Draft{words, message}, release.CodeNoRoster},
		"a release comes last": {[]parley.Draft{message, words}, release.CodeAlone},
	} {
		if err := d.CheckTogether(now, c.drafts...); parley.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
