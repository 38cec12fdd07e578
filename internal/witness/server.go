package witness

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"parley"
)

// Config is what a witness runs with.
type Config struct {
	Dir  string // its memory; created if absent, used by one process at a time
	Key  *Key
	Logs []LogKey // logs of any kind that it serves

	// Charters are channels it serves: every log of every member, under the
	// member's log key. Channels are the same with their signatures and the
	// ROOTKEYS known; of a fork in one of them the witness can also write a
	// proof that convinces a stranger (journal.VerifyFork). The caller has
	// verified the signatures of both.
	Charters []*parley.Charter
	Channels []Channel
	// RootKeys, if set, names the keys that may sign the heads of one log, in
	// place of those of its charter and ROOTKEYS; none means those.
	RootKeys func(parley.LogID) [][]byte

	Now        func() time.Time // nil: time.Now
	Log        *slog.Logger     // nil: silent
	Concurrent int              // requests served at once; 0 means 64
}

// Server is a witness. It is an http.Handler for POST /add-checkpoint; GET /
// shows its verifier keys.
type Server struct {
	cfg   Config
	state *state
	mux   *http.ServeMux
	slots chan struct{}
	busy  sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	keys     map[string][]LogKey // by origin
	channels map[parley.Hash]*channel
}

// New opens the witness's memory. It fails if another process serves it, or
// if anything in it is damaged.
func New(cfg Config) (*Server, error) {
	if cfg.Key == nil {
		return nil, parley.Errorf(CodeKeyFile, "a witness without a key")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Concurrent <= 0 {
		cfg.Concurrent = 64
	}
	st, err := openState(cfg.Dir, cfg.Key)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, state: st, mux: http.NewServeMux(), slots: make(chan struct{}, cfg.Concurrent),
		keys: map[string][]LogKey{}, channels: map[parley.Hash]*channel{},
	}
	for _, l := range cfg.Logs {
		s.keys[l.Origin] = append(s.keys[l.Origin], l)
	}
	for _, c := range cfg.Charters {
		s.Accept(c)
	}
	for _, c := range cfg.Channels {
		if err := s.AcceptChannel(c); err != nil {
			st.close()
			return nil, err
		}
	}
	s.mux.HandleFunc("POST /add-checkpoint", s.limited(s.addCheckpoint))
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		plain(w, http.StatusOK, strings.Join(cfg.Key.VKeys(), "\n"))
	})
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// HTTP is an http.Server for the witness with the timeouts and header limits
// that keep a slow or hostile client from holding it.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
}

// Close waits for the requests under way and releases the memory.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.busy.Wait()
	return s.state.close()
}

func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.busy.Add(1)
	return true
}

// limited bounds how many requests are served at once.
func (s *Server) limited(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		default:
			w.Header().Set("Retry-After", "1")
			plain(w, http.StatusServiceUnavailable, "too many requests at once")
			return
		}
		if !s.enter() {
			plain(w, http.StatusServiceUnavailable, "the witness is closing")
			return
		}
		defer s.busy.Done()
		h(w, r)
	}
}

func (s *Server) addCheckpoint(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			plain(w, http.StatusRequestEntityTooLarge, "the request is too large")
		} else {
			plain(w, http.StatusBadRequest, "the request could not be read")
		}
		return
	}
	lines, no := s.add(body)
	if no == nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write(lines)
		return
	}
	if no.hasSize {
		// SPEC (tlog-witness): the body is the size of the latest cosigned
		// checkpoint and a newline, of this content type.
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(no.status)
		fmt.Fprintf(w, "%d\n", no.size)
		return
	}
	plain(w, no.status, no.text)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	io.WriteString(w, text+"\n")
}
