package console

import (
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"parley"
	"parley/internal/officer"
)

// maxBody bounds what a form or a JSON request may carry: a message of the
// greatest size, percent-encoded, fits.
const maxBody = 256 << 10

// request is an http.Request with what the middleware found out about it.
type request struct {
	*http.Request
	loc    catalogue
	prefs  prefs
	person *person // nil without a session
	route  *route
	now    time.Time
}

// passive reports a request that the script makes by itself, not a person: it
// does not keep a session alive. Who claims it without need only loses.
func (q *request) passive() bool {
	return q.route != nil && q.route.passive || q.Method == http.MethodGet && q.Header.Get("X-Node-Request") == "1"
}

// policy is the content security policy: nothing but own files, no inline
// code, no markup made by script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// headers are on every answer, errors included.
var headers = map[string]string{
	"Content-Security-Policy":      policy,
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cache-Control":                "no-store",
	"Permissions-Policy": "accelerometer=(), autoplay=(self), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), " +
		"geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), " +
		"publickey-credentials-create=(self), publickey-credentials-get=(self), screen-wake-lock=(self), serial=(), usb=(), xr-spatial-tracking=()",
}

// chain is the part of the way that every request goes, known path or not. The
// order is console-security 4.2's: recovery, host, headers, method and type,
// limits, origin; guard adds session, account limit, authorization and audit.
func (s *Server) chain() http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.recover(w, r)
		for k, v := range headers {
			w.Header().Set(k, v)
		}
		if s.cfg.TLS != nil {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		q := &request{Request: r, now: s.cfg.Now(), prefs: s.prefsOf(r)}
		q.loc = s.localeOf(r)
		for _, check := range []func() error{
			func() error { return s.checkHost(r) },
			func() error { return checkShape(r) },
			func() error { return s.limits.general.allow(address(r), q.now) },
			func() error {
				if err := cross.Check(r); err != nil {
					return parley.Errorf(CodeOrigin, "a cross-origin request: %w", err)
				}
				return s.checkOrigin(r)
			},
		} {
			if err := check(); err != nil {
				s.refuse(w, q, err)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if _, pattern := s.mux.Handler(r); pattern == "" {
			s.refuse(w, q, parley.Errorf(CodeNoPage, "there is no page at this address"))
			return
		}
		s.mux.ServeHTTP(w, r)
	})
}

// recover is the last resort: the stack goes to the log, never to the page.
func (s *Server) recover(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.cfg.Log.Error("console: a handler failed", "path", r.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	s.refuse(w, &request{Request: r, now: s.cfg.Now(), prefs: s.prefsOf(r), loc: s.localeOf(r)},
		parley.Errorf(CodeInternal, "the page could not be made"))
}

// checkHost lets a request in under the console's own names only, so that no
// other name can be made to point here (DNS rebinding).
func (s *Server) checkHost(r *http.Request) error {
	if !s.hosts[strings.ToLower(r.Host)] {
		return parley.Errorf(CodeHost, "this console does not answer under that name")
	}
	return nil
}

// checkShape refuses methods and contents that no page uses.
func checkShape(r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return nil
	case http.MethodPost:
	default:
		return parley.Errorf(CodeMethod, "the method %q is not used here", r.Method)
	}
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || t != "application/x-www-form-urlencoded" && t != "application/json" {
		return parley.Errorf(CodeForm, "the request has no form of this console")
	}
	if t == "application/json" && r.Header.Get("X-Node-Request") != "1" {
		return parley.Errorf(CodeOrigin, "the request was not made by this console's script")
	}
	return nil
}

// checkOrigin is stricter than the standard protection: what changes anything
// comes from a page of this console, and a browser says so.
func (s *Server) checkOrigin(r *http.Request) error {
	site := r.Header.Get("Sec-Fetch-Site")
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		if (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			return parley.Errorf(CodeOrigin, "another site asked for a part of a page")
		}
		return nil
	}
	if site != "" && site != "same-origin" {
		return parley.Errorf(CodeOrigin, "the request comes from another site")
	}
	o := r.Header.Get("Origin")
	if site != "" && (o == "" || o == "null") {
		// SPEC (Fetch, append a request Origin header): with the referrer policy
		// no-referrer a page's own forms carry the origin "null". No page can set
		// Sec-Fetch-Site, which said same-origin.
		return nil
	}
	if !s.origin[o] {
		return parley.Errorf(CodeOrigin, "the request does not come from this console")
	}
	return nil
}

// address is whom the general limiter counts.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// guard is the part of the way that depends on the route.
func (s *Server) guard(rt *route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &request{Request: r, route: rt, now: s.cfg.Now(), prefs: s.prefsOf(r), loc: s.localeOf(r)}
		if err := s.admit(q); err != nil {
			s.refuse(w, q, err)
			return
		}
		if r.Method == http.MethodPost && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			if err := r.ParseForm(); err != nil {
				s.refuse(w, q, parley.Errorf(CodeForm, "the form cannot be read"))
				return
			}
		}
		if err := rt.serve(s, w, q); err != nil {
			s.refuse(w, q, err)
		}
	})
}

// admit finds the session and asks the book of officers. What its policy does
// not allow is refused, and written down.
func (s *Server) admit(q *request) error {
	rt := q.route
	var err error
	if q.person, err = s.personOf(q); err != nil && !rt.public {
		return err
	}
	if rt.strict {
		key := address(q.Request)
		if q.person != nil {
			key = q.person.ID
		}
		if err := s.limits.strict.allow(key, q.now); err != nil {
			return err
		}
	}
	switch {
	case rt.public:
		return nil
	case q.person == nil:
		return parley.Errorf(CodeSession, "nobody is signed in here")
	}
	return s.cfg.Book.May(q.person.Session, rt.may, officer.Object{})
}

// status maps an error to HTTP, in this one place.
func status(err error) int {
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return http.StatusRequestEntityTooLarge
	}
	switch parley.CodeOf(err) {
	case CodeHost:
		return http.StatusMisdirectedRequest
	case CodeOrigin, officer.CodeForbidden:
		return http.StatusForbidden
	case CodeMethod:
		return http.StatusMethodNotAllowed
	case CodeSession, officer.CodeSession:
		return http.StatusUnauthorized
	case CodeNoPage, CodeNoEntry, CodeNodes, officer.CodeDraft:
		return http.StatusNotFound
	case CodeTooMany, officer.CodeTooMany:
		return http.StatusTooManyRequests
	case CodeBusy:
		return http.StatusServiceUnavailable
	case CodeInternal, "":
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity
}
