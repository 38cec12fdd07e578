package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/internal/host"
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
	// release a draft that belongs to a line. Set it before Run.
	Two func(line uint8, d parley.Draft) bool

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
