package console

import (
	"net/http"
	"slices"

	"parley/internal/officer"
)

// route is one row of the table: what is served, and for which action the book
// of officers must give leave. A row says either public or may; one that says
// neither is refused at start.
type route struct {
	method, path string
	public       bool // also without a session
	may          officer.Action
	serve        func(*Server, http.ResponseWriter, *request) error
	passive      bool // asked by the script, not by a person: does not keep a session alive
	strict       bool // approve, enrol, export: a limiter of its own, which fails closed
}

// allRoutes is the table of everything that the console answers to. The tests
// read it too: every row is tried with every role.
func allRoutes() []*route {
	rs := []*route{
		{method: "GET", path: "/{$}", may: officer.ReadRecord, serve: (*Server).home},
		{method: "GET", path: "/static/{name...}", public: true, serve: (*Server).static, passive: true},
		{method: "GET", path: "/strip", may: officer.ReadRecord, serve: (*Server).stripPage, passive: true},
		{method: "GET", path: "/events", may: officer.ReadRecord, serve: (*Server).events, passive: true},
		{method: "GET", path: "/lines", may: officer.ReadRecord, serve: (*Server).lines},
		{method: "GET", path: "/settings", may: officer.ReadRecord, serve: (*Server).settings},
		{method: "POST", path: "/settings", may: officer.ReadRecord, serve: (*Server).saveSettings},
	}
	rs = append(rs, peopleRoutes()...)
	for _, r := range rs {
		if r.public == (r.may != 0) {
			panic("console: it is not said who may use " + r.method + " " + r.path)
		}
	}
	return slices.Clip(rs)
}

func (s *Server) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range s.routes {
		mux.Handle(r.method+" "+r.path, s.guard(r))
	}
	return mux
}
