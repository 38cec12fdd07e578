package console

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/internal/host"
	"parley/internal/officer"
)

// Codes of the console.
const (
	CodeAddr     parley.Code = "console-address"
	CodeHost     parley.Code = "other-host"
	CodeOrigin   parley.Code = "other-origin"
	CodeMethod   parley.Code = "wrong-method"
	CodeForm     parley.Code = "bad-form"
	CodeSession  parley.Code = "not-signed-in"
	CodeNoPage   parley.Code = "no-such-page"
	CodeTooMany  parley.Code = "too-many-requests"
	CodeInternal parley.Code = "console-internal"
	CodeNumber   parley.Code = "number-not-typed"
	CodeNoEntry  parley.Code = "no-entry-here"
	CodeNodes    parley.Code = "between-nodes"
	CodeScript   parley.Code = "needs-script"
	CodeBusy     parley.Code = "node-busy"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeAddr:     "Give --console an address of this machine, such as localhost:8443, that nothing else uses.",
	CodeHost:     "Open the console at the address that the node printed, and at no other name.",
	CodeOrigin:   "The request came from another page. Open the console itself and do it there.",
	CodeMethod:   "Open the page by a link of the console.",
	CodeForm:     "Correct the form and send it again. Nothing was kept or sent.",
	CodeSession:  "Sign in. A session ends after 15 minutes without use, and after 8 hours in any case.",
	CodeNoPage:   "Open the lines, and go on from there.",
	CodeTooMany:  "Wait a minute and try again.",
	CodeInternal: "Try again. If it stays so, look at the node's log.",
	CodeBusy:     "Wait a moment and load the page again. If it stays so, look at the node's log.",
	CodeScript:   "Allow script for this address in the browser, and load the page again.",
	CodeNoEntry:  "Open the line and look for the message there. Another party's entry may not have arrived yet.",
	CodeNodes:    "Nothing is to be done: the nodes say such things to each other. The page Record shows the logs.",
	CodeNumber:   "Read the number on the message and type it, such as 2/FLASH/17. It proves that a person looked.",
})

// Config is what a console is made of.
type Config struct {
	Host    *host.Host
	Book    *officer.Book
	Addr    string            // where to listen; a loopback address unless TLS is set
	Origins []string          // exact origins it answers to; empty: http://Addr
	TLS     *tls.Config       // nil: plain, on loopback only
	Demo    bool              // says so on every page
	Dev     string            // a folder to read templates and static files from, for work on them
	Zones   map[string]string // member's name to its time zone: "+05:30" or "Asia/Karachi"
	Now     func() time.Time
	Log     *slog.Logger
}

// Server is one console. Run serves it; Handler is the same for tests.
type Server struct {
	cfg    Config
	ln     net.Listener
	hosts  map[string]bool // allowed values of the Host header
	origin map[string]bool
	pages  *pages
	files  fs.FS
	routes []*route
	mux    *http.ServeMux
	limits *limits
	hub    *hub
	pulse  *pulse
	facts  *cached[Strip]
	due    *cached[DutiesPage]
	alarms alarms
	zones  []zone
	beat   time.Duration // between signs of life on a stream; tests shorten it
}

// New opens the listener and prepares the pages; it fails if a template or an
// address is wrong. Without TLS it listens on loopback addresses only.
func New(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, hosts: map[string]bool{}, origin: map[string]bool{}, limits: newLimits(), hub: newHub(),
		facts: newCached[Strip](), due: newCached[DutiesPage](), beat: usualBeat, pulse: newPulse()}
	s.files = embedded
	if cfg.Dev != "" {
		s.files = os.DirFS(cfg.Dev)
	}
	var err error
	if s.pages, err = loadPages(s.files); err != nil {
		return nil, err
	}
	if s.zones, err = zonesOf(cfg.Host.Charter(), cfg.Host.Me(), cfg.Zones); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	s.routes = allRoutes()
	s.mux = s.newMux()
	return s, nil
}

func (s *Server) listen() error {
	name, _, err := net.SplitHostPort(s.cfg.Addr)
	if err != nil {
		return parley.Errorf(CodeAddr, "the console's address %q is not host:port", s.cfg.Addr)
	}
	if s.ln, err = net.Listen("tcp", s.cfg.Addr); err != nil {
		return parley.Errorf(CodeAddr, "the console cannot listen: %w", err)
	}
	at := s.ln.Addr().(*net.TCPAddr)
	if s.cfg.TLS == nil && !at.IP.IsLoopback() {
		s.ln.Close()
		return parley.Errorf(CodeAddr, "%s is no loopback address, and the console has no certificate", s.cfg.Addr)
	}
	if len(s.cfg.Origins) == 0 {
		_, port, _ := net.SplitHostPort(at.String())
		// SPEC (WebAuthn): an IP address is no RP id; localhost is one, and is a
		// secure context without TLS.
		if ip := net.ParseIP(name); ip != nil || name == "" {
			name = "localhost"
		}
		s.cfg.Origins = []string{"http://" + net.JoinHostPort(name, port)}
	}
	for _, o := range s.cfg.Origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != o {
			s.ln.Close()
			return parley.Errorf(CodeAddr, "%q is not an origin such as https://console.example", o)
		}
		s.origin[o], s.hosts[strings.ToLower(u.Host)] = true, true
	}
	return nil
}

// URL is where officers open the console.
func (s *Server) URL() string { return s.cfg.Origins[0] + "/" }

// Handler is the whole console, every check included.
func (s *Server) Handler() http.Handler { return s.chain() }

// Run serves until ctx ends. Requests under way, the streams included, end
// with it.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second, // streams set deadlines of their own
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		TLSConfig:         s.cfg.TLS,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
	var wg sync.WaitGroup
	wg.Go(func() { s.follow(ctx) })
	wg.Go(func() {
		if err := s.recall(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("console: the history of proofs could not be read from the record", "err", err)
		}
	})
	wg.Go(func() {
		if err := s.settle(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("console: the book of officers and the record could not be compared", "err", err)
		}
	})
	defer wg.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	var err error
	if s.cfg.TLS != nil {
		err = srv.ServeTLS(s.ln, "", "")
	} else {
		err = srv.Serve(s.ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return parley.Errorf(CodeAddr, "the console ended: %w", err)
}

// Close releases the listener of a console that never ran.
func (s *Server) Close() error { return s.ln.Close() }
