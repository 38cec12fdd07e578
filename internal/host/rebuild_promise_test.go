package host

import (
	"context"
	"testing"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/station"
)

// What a rebuilt node cannot have back, because only the lost disk had it, is
// listed: here the text of a commitment that nobody could read.
func TestRebuildListsWhatIsLost(t *testing.T) {
	t.Parallel()
	dirs, c := channel(t, "Avaria", "Borduria")
	b, _ := start(t, dirs[1], Options{})
	a, stop := start(t, dirs[0], Options{Peers: peerAt(b)})
	eventually(t, a, "ready", func(v node.View) bool { return v.Station.Ready() })
	d := hotline.Draft(&hotline.Text{Type: hotline.Exercise, Text: "EXERCISE. to be opened later"}, parley.Priority, parley.ToNobody)
	var ref parley.Ref
	var refused error
	err := a.Node.Feed(context.Background(), station.Post{Lane: d.Lane, Kind: d.Kind, To: parley.ToNobody, Body: d.Body,
		Done: func(r parley.Ref, err error) { ref, refused = r, err }})
	if err != nil || refused != nil {
		t.Fatal(err, refused)
	}
	eventually(t, a, "receipted", func(v node.View) bool { return v.Station.Received(ref.Log(c.Channel()), 2) > ref.Index })
	stop()
	wipe(t, dirs[0])
	r := rebuild(t, dirs[0], Options{Peers: peerAt(b)})
	if len(r.Lacks) != 1 || r.Complete || !r.Verified {
		t.Errorf("%+v", r)
	}
}
