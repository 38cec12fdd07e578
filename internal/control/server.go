package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/host"
	"parley/internal/node"
	"parley/journal"
	"parley/release"
	"parley/station"
)

// Codes of the local socket.
const (
	CodeRequest  parley.Code = "bad-request"
	CodeInternal parley.Code = "internal"
	CodeRef      parley.Code = "no-such-entry-here"
	CodeSocket   parley.Code = "socket"
	CodeTwo      parley.Code = "takes-two-persons"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeRequest:  "Use a command of the same version as the running node.",
	CodeInternal: "Look at the node's log, and report it.",
	CodeRef:      "Give the number as the inbox shows it, such as 2/FLASH/17; where two generations have it, the long form.",
	CodeTwo:      "Write it in the console, where a second officer releases it. If nobody else can be reached and it must go, give --alone: the other side sees that no two persons released it.",
	CodeSocket:   "Check that no other node runs in this directory, and that its path is shorter than 100 bytes.",
})

// Server answers on the local socket of one host.
type Server struct {
	// Two, if set, reports whether the party's officers want a second person to
	// release what is said on a line in a lane. Set it before Run.
	Two func(line uint8, lane parley.Lane) bool

	h  *host.Host
	ln net.Listener

	mu     sync.Mutex
	alarms []Alarm
}

// Listen opens the socket. A socket file that nobody answers on is replaced.
func Listen(h *host.Host) (*Server, error) {
	path := h.Socket()
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, parley.Errorf(CodeSocket, "a node already answers on %s", path)
	}
	os.Remove(path)
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, parley.Errorf(CodeSocket, "%w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, parley.Errorf(CodeSocket, "%w", err)
	}
	return &Server{h: h, ln: ln}, nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	events, stop := s.h.Node.Watch(256)
	defer stop()
	go func() {
		for e := range events {
			if e.Alarm != nil {
				s.mu.Lock()
				a := alarmOf(s.h.Charter(), e.At, e.Alarm)
				if a.Expected = s.h.Expects(a.Code); a.Expected {
					a.Text += host.ExpectedNote
				}
				s.alarms = append(s.alarms, a)
				s.alarms = s.alarms[max(0, len(s.alarms)-maxAlarms):]
				s.mu.Unlock()
			}
		}
	}()
	mux := http.NewServeMux()
	get := func(path string, f func(*http.Request) (any, error)) { mux.HandleFunc("GET "+path, reply(f)) }
	get("/v1/status", s.status)
	get("/v1/messages", s.messages)
	get("/v1/message", s.message)
	get("/v1/lines", s.lines)
	get("/v1/duties", s.duties)
	mux.HandleFunc("POST /v1/post", reply(s.post))
	mux.HandleFunc("POST /v1/answer", reply(s.answer))
	mux.HandleFunc("POST /v1/translate", reply(s.translate))
	mux.HandleFunc("POST /v1/close", reply(s.close))
	mux.HandleFunc("POST /v1/renew", s.renew)
	mux.HandleFunc("POST /v1/newkeys", reply(s.acceptKeys))
	mux.HandleFunc("GET /v1/watch", s.watch)
	mux.HandleFunc("GET /v1/export", s.export)
	mux.HandleFunc("GET /v1/disclose", s.disclose)
	mux.HandleFunc("GET /v1/fork", s.fork)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stopped := context.AfterFunc(ctx, func() { srv.Close() })
	defer stopped()
	if err := srv.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
		return parley.Errorf(CodeSocket, "%w", err)
	}
	return nil
}

func reply(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r)
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
}

func refuse(w http.ResponseWriter, err error) {
	e := Error{Code: parley.CodeOf(err), Text: err.Error()}
	if e.Code == "" && errors.Is(err, context.Canceled) { // the node ends; who asked is still there to read this
		e.Code, e.Text = CodeUnclear, "the node ended before it answered"
	} else if e.Code == "" {
		e.Code = CodeInternal
	} else {
		e.Text = strings.TrimPrefix(e.Text, string(e.Code)+": ")
	}
	e.Remedy = e.Code.Remedy()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	json.NewEncoder(w).Encode(e)
}

func decode(r *http.Request, v any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, 4<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return parley.Errorf(CodeRequest, "the request cannot be read: %w", err)
	}
	return nil
}

func (s *Server) name(p parley.Party) string {
	if m := s.h.Charter().Member(p); m != nil {
		return m.Name
	}
	return strconv.Itoa(int(p))
}

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

// place names an entry so that its number means no other.
func place(logs []station.LogStatus, r parley.Ref) Place {
	p := PlaceOf(r)
	for _, l := range logs {
		if l.Log.Party == r.Party && l.Log.Lane == r.Lane && l.Log.Gen != r.Gen && r.Index < l.Head.Size {
			p.Ref = p.Long
		}
	}
	return p
}

func (s *Server) messages(r *http.Request) (any, error) {
	q := r.URL.Query()
	line, _ := strconv.ParseUint(q.Get("line"), 10, 8)
	limit, _ := strconv.Atoi(q.Get("limit"))
	f := hotline.Filter{Line: uint8(line), Open: q.Get("open") != "", Limit: limit}
	out := []Message{}
	err := s.h.Node.Do(r.Context(), func(v node.View) {
		logs := v.Station.Logs()
		for _, m := range v.Docket.Hotline.Messages(f) {
			out = append(out, s.view(logs, m))
		}
	})
	return out, err
}

func (s *Server) view(logs []station.LogStatus, m *hotline.Message) Message {
	out := Message{Place: place(logs, m.Ref), Time: time.Unix(int64(m.Time), 0).UTC(), From: s.name(m.Author), Lane: m.Lane.String(),
		Mine: m.Author == s.h.Me(), Addressees: []Reader{}}
	if m.Text != nil {
		out.Type, out.Subject, out.Text = m.Text.Type.String(), m.Text.Subject, m.Text.Text
	} else {
		out.Type, out.Text = "MALFORMED", m.Malformed.Error()
	}
	for _, a := range m.Addressees {
		out.Addressees = append(out.Addressees, Reader{s.name(a.Party), a.Info, a.Step.String()})
	}
	return out
}

// find resolves what an officer typed: 2/FLASH/17, or with the generation.
func (s *Server) find(v node.View, text string) (parley.Ref, error) {
	var found []parley.Ref
	look := strings.ToUpper(strings.TrimSpace(text))
	f := strings.Split(look, "/")
	if len(f) != 3 && len(f) != 4 {
		return parley.Ref{}, parley.Errorf(CodeRef, "%q is not a number such as 2/FLASH/17", text)
	}
	index, err := strconv.ParseUint(f[len(f)-1], 10, 53)
	if err != nil {
		return parley.Ref{}, parley.Errorf(CodeRef, "%q is not a number such as 2/FLASH/17", text)
	}
	for _, l := range v.Station.Logs() {
		r := parley.Ref{Party: l.Log.Party, Lane: l.Log.Lane, Gen: l.Log.Gen, Index: index}
		if index < l.Head.Size && (r.String() == look || strings.EqualFold(r.Long(), look)) {
			row, err := s.h.Node.Store().Row(l.Log, index)
			if err != nil {
				return parley.Ref{}, err
			}
			r.Leaf = row.Leaf.Hash()
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return parley.Ref{}, parley.Errorf(CodeRef, "there is no entry %s here", text)
	case 1:
		return found[0], nil
	}
	var longs []string
	for _, r := range found {
		longs = append(longs, r.Long())
	}
	return parley.Ref{}, parley.Errorf(CodeRef, "%s stands in several generations: %s", text, strings.Join(longs, ", "))
}

func (s *Server) message(r *http.Request) (any, error) {
	var out Message
	var ref parley.Ref
	var ferr error
	err := s.h.Node.Do(r.Context(), func(v node.View) {
		if ref, ferr = s.find(v, r.URL.Query().Get("ref")); ferr != nil {
			return
		}
		m, ok := v.Docket.Hotline.Message(ref)
		if !ok {
			out, ferr = s.other(v, ref)
			out.Release = v.Docket.Release.Line(ref)
			return
		}
		out = s.view(v.Station.Logs(), m)
		out.Release = v.Docket.Release.Line(ref)
		var b strings.Builder
		if ferr = hotline.Format(&b, s.h.Charter(), m); ferr == nil {
			out.Printed = b.String()
		}
		for _, x := range m.Beside {
			out.Beside = append(out.Beside, s.beside(v.Station.Logs(), x))
		}
	})
	if err != nil || ferr != nil {
		return nil, errors.Join(err, ferr)
	}
	cs, err := s.h.Node.Store().Cosigs(ref.Log(s.h.Signed.Channel()), ref.Index+1)
	if err != nil {
		return nil, err
	}
	if t, ok := journal.Witnessed(s.h.Charter(), cs, ref.Index); ok && t > 0 {
		out.WitnessedBy = time.Unix(int64(t), 0).UTC().Format(time.RFC3339)
	}
	return out, nil
}

// other is a call, a question, an answer or a proposal, with what was said to
// a question or about a call.
func (s *Server) other(v node.View, ref parley.Ref) (Message, error) {
	row, err := s.h.Node.Store().Row(ref.Log(s.h.Signed.Channel()), ref.Index)
	if err != nil {
		return Message{}, err
	}
	if row.Content == nil {
		return Message{}, parley.Errorf(CodeRef, "%s is held, but not addressed to this party", ref)
	}
	e, err := parley.ParseEntry(row.Content.Entry)
	if err != nil {
		return Message{}, err
	}
	if _, err := hotline.Parse(e.Kind, e.Body); err != nil && !release.Owns(e.Kind) {
		return Message{}, parley.Errorf(CodeRef, "%s says nothing to officers: %s %s", ref, s.name(ref.Party), protocolKind(e.Kind))
	}
	var ev Event
	describe(&ev, ref.Party, s.name, ref.Lane, e)
	out := Message{Place: place(v.Station.Logs(), ref), Time: time.Unix(int64(e.Time), 0).UTC(), From: ev.Member, Lane: ev.Lane,
		Type: ev.Type, Text: ev.Text, Mine: ref.Party == s.h.Me(), Addressees: []Reader{}}
	if x, ok := v.Docket.Hotline.TranslationOf(ref); ok && x.Translation != nil {
		s.translation(v, &out, x)
		out.Beside = []Beside{s.beside(v.Station.Logs(), *x)}
	}
	said := func(rs []hotline.Response) {
		for _, r := range slices.Backward(rs) {
			out.Said = append(out.Said, Said{time.Unix(int64(r.Time), 0).UTC(), s.name(r.Author), withNote(r.Code.String(), r.Text)})
		}
	}
	for _, q := range v.Docket.Hotline.Questions(hotline.Filter{Author: ref.Party}) {
		if q.Ref == ref {
			said(q.Responses)
		}
	}
	for _, c := range v.Docket.Hotline.Calls(hotline.Filter{Author: ref.Party}) {
		if c.Ref == ref {
			said(c.Responses)
		}
	}
	return out, nil
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

func (s *Server) post(r *http.Request) (any, error) {
	var p Post
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	return s.say(r, parley.Draft{Lane: p.Lane, Kind: p.Kind, To: p.To, Body: p.Body}, p.Alone)
}

// say posts a draft, unless it takes two persons and is not meant to go alone.
// An answer that binds nobody, such as that a message was opened, takes one, as
// in the console.
func (s *Server) say(r *http.Request, d parley.Draft, alone bool) (Place, error) {
	if s.Two != nil && !alone && !light(d) {
		var line uint8
		if err := s.h.Node.Do(r.Context(), func(v node.View) { line = v.Docket.Hotline.LineOf(d) }); err != nil {
			return Place{}, err
		}
		if s.Two(line, d.Lane) {
			return Place{}, parley.Errorf(CodeTwo, "by the rules of this party two persons release %s on line %d; nothing was sent", d.Lane, line)
		}
	}
	ref, err := s.h.Node.Post(r.Context(), d)
	p := PlaceOf(ref)
	if err == nil {
		s.h.Node.Do(r.Context(), func(v node.View) { p = place(v.Station.Logs(), ref) }) // failing, the short name must do
	}
	return p, err
}

func light(d parley.Draft) bool {
	b, err := hotline.Parse(d.Kind, d.Body)
	a, is := b.(*hotline.Answer)
	return err == nil && is && a.Code.Light()
}

func (s *Server) answer(r *http.Request) (any, error) {
	var a Answer
	if err := decode(r, &a); err != nil {
		return nil, err
	}
	code, err := hotline.ParseCode(a.Code)
	if err != nil {
		return nil, err
	}
	var d parley.Draft
	var derr error
	if err := s.h.Node.Do(r.Context(), func(v node.View) {
		ref, err := s.find(v, a.Ref)
		if err != nil {
			derr = err
			return
		}
		d, derr = v.Docket.Hotline.Answer(ref, code, a.Text)
	}); err != nil || derr != nil {
		return nil, errors.Join(err, derr)
	}
	return s.say(r, d, a.Alone)
}

func (s *Server) translate(r *http.Request) (any, error) {
	var a Translate
	if err := decode(r, &a); err != nil {
		return nil, err
	}
	status, err := hotline.ParseStatus(a.Status)
	if err != nil {
		return nil, err
	}
	var d parley.Draft
	var derr error
	if err := s.h.Node.Do(r.Context(), func(v node.View) {
		ref, err := s.find(v, a.Ref)
		if err != nil {
			derr = err
			return
		}
		t := &hotline.Translation{About: ref, Language: a.Language, Status: status, Text: a.Text, Subject: a.Subject, Translator: a.Translator}
		if derr = t.Check(); derr != nil {
			return
		}
		if d, derr = v.Docket.Hotline.Translate(t); a.To != 0 {
			d.To = s.h.Charter().Address(s.h.Me(), a.To)
		}
	}); err != nil || derr != nil {
		return nil, errors.Join(err, derr)
	}
	return s.say(r, d, a.Alone)
}

// beside shows a translation with its original.
func (s *Server) beside(logs []station.LogStatus, x hotline.Translated) Beside {
	t := x.Translation
	out := Beside{Place: place(logs, x.Ref), Time: time.Unix(int64(x.Time), 0).UTC(), From: s.name(x.Author), Language: t.Language,
		Status: t.Status.String(), Translator: t.Translator, Subject: t.Subject, Text: t.Text, State: x.Fit.String()}
	if x.Replaced != nil {
		out.ReplacedBy = place(logs, *x.Replaced).Ref
	}
	return out
}

// translation says what a translation says, marked by the type of its
// original, and then shows the original.
func (s *Server) translation(v node.View, out *Message, x *hotline.Translated) {
	out.Type, out.Subject = x.Type.String(), x.Translation.Subject
	mark := x.Type.Banner()
	if x.Fit == hotline.FitWaiting {
		out.Type, mark = "UNKNOWN", "TYPE NOT KNOWN, the original is not in this record"
	}
	lines := []string{out.Text + ", " + x.Fit.String()}
	for _, s := range []string{mark, x.Translation.Translator, x.Translation.Subject, x.Translation.Text, mark} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	var b strings.Builder
	if m, ok := v.Docket.Hotline.Message(x.Translation.About); ok && hotline.Format(&b, s.h.Charter(), m) == nil {
		lines = append(lines, "", "The original, which is authoritative, and what stands beside it:", strings.TrimRight(b.String(), "\n"))
	}
	out.Text = strings.Join(lines, "\n")
}

func (s *Server) close(r *http.Request) (any, error) {
	var c Close
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	next, charter, err := parley.ParseSignedCharter(c.Charter)
	if err != nil {
		return nil, err
	}
	if missing := next.Missing(charter); len(missing) > 0 {
		return nil, parley.Errorf(parley.CodeUnsigned, "the successor lacks signatures")
	}
	if charter.Prev == nil || *charter.Prev != s.h.Signed.Channel() {
		return nil, parley.Errorf(parley.CodeMembers, "the charter %q does not name this channel as its predecessor", charter.Name)
	}
	err = s.h.Node.Feed(r.Context(), station.Close{Successor: next.Channel(), Finals: charter.Finals})
	return Closed{charter.Name, next.Channel().String()}, err
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
