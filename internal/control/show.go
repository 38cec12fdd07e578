package control

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"parley/internal/node"
)

func (s *Server) status(r *http.Request) (any, error) {
	c := s.h.Charter()
	out := Status{Name: s.name(s.h.Me()), Member: int(s.h.Me()), Channel: s.h.Signed.Channel().String(), Charter: c.Name,
		Quorum: strings.TrimSpace(c.Rules.Quorum), Links: []Link{}, Logs: []Log{}, Alarms: []Alarm{}}
	err := s.h.Node.Do(r.Context(), func(v node.View) {
		out.Time, out.Ready, out.Generation = v.Now.UTC(), v.Station.Ready(), v.Station.Gen().String()
		for _, l := range v.Station.Links() {
			out.Links = append(out.Links, Link{int(l.Party), s.name(l.Party), l.Urgent, l.Bulk, l.Skew, l.Dropped})
		}
		for _, l := range v.Station.Logs() {
			if l.Head.Size == 0 {
				continue
			}
			g := Log{Origin: l.Log.Origin(), Member: int(l.Log.Party), Lane: l.Log.Lane.String(), Size: l.Head.Size, Root: l.Head.Root.String(),
				Receipts: map[string]uint64{}, Witnesses: l.Witness, Witnessed: l.Witnessed, Current: l.Current, Forked: l.Forked, Closed: l.Closed, Held: l.Held,
				Key: v.Station.LogKey(l.Log)}
			for p, n := range l.Receipts {
				g.Receipts[s.name(p)] = n
			}
			out.Entries += l.Head.Size
			out.Logs = append(out.Logs, g)
		}
		for _, d := range v.Docket.Due(v.Now) {
			if d.Late {
				out.Overdue++
			}
		}
		out.Malformed, out.Unknown = v.Docket.Hotline.Malformed(), len(v.Docket.Unknown())
	})
	s.mu.Lock()
	out.Alarms = append(out.Alarms, s.alarms...)
	s.mu.Unlock()
	return out, err
}

func (s *Server) lines(r *http.Request) (any, error) {
	out := []Line{}
	at := func(t uint64) time.Time {
		if t == 0 {
			return time.Time{}
		}
		return time.Unix(int64(t), 0).UTC()
	}
	err := s.h.Node.Do(r.Context(), func(v node.View) {
		for _, l := range v.Docket.Hotline.Lines(v.Now) {
			x := Line{Number: l.Number, InForce: l.Line != nil, State: l.Condition.Health.String(), Text: l.Condition.Text,
				LastTest: at(l.LastTest), NextTest: at(l.NextTest), Members: []Alive{}}
			wording := l.Line
			if wording == nil && len(l.Proposals) > 0 {
				wording = l.Proposals[0].Line
			}
			if wording != nil {
				x.Name, x.Level, x.Next = wording.Name, wording.Level, wording.Next
			}
			if l.NextTest > 0 {
				x.Caller = s.name(l.Caller)
			}
			for _, p := range l.Proposals {
				if p.Ref == l.Ref {
					break // the ones after it are older
				}
				if len(p.Waiting) > 0 && len(p.Refused) == 0 {
					x.Proposal = place(v.Station.Logs(), p.Ref).Ref
					for _, m := range p.Waiting {
						x.Waiting = append(x.Waiting, s.name(m))
					}
					break
				}
			}
			for _, m := range l.Members {
				x.Members = append(x.Members, Alive{s.name(m.Party), at(m.Last), at(m.Node)})
			}
			out = append(out, x)
		}
	})
	return out, err
}

func (s *Server) duties(r *http.Request) (any, error) {
	out := []Duty{}
	err := s.h.Node.Do(r.Context(), func(v node.View) {
		for _, d := range v.Docket.Due(v.Now) {
			out = append(out, Duty{d.Ref.String(), s.name(d.Owner), d.What, d.Lane.String(), d.By.UTC(), d.Late, d.Text})
		}
	})
	return out, err
}

func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	events, stop := s.h.Node.Watch(1024)
	defer stop()
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	rc := http.NewResponseController(w)
	rc.Flush()
	enc := json.NewEncoder(w)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-s.h.Node.Done():
			return
		case e := <-events:
			if e.Receipt != nil && e.Receipt.By == s.h.Me() {
				continue // of this node itself
			}
			if enc.Encode(eventOf(s.h.Charter(), e)) != nil || rc.Flush() != nil {
				return
			}
		}
	}
}
