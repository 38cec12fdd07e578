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
	read, write := officer.ReadRecord, officer.DraftMessage
	rs := []*route{
		{method: "GET", path: "/{$}", may: read, serve: (*Server).home},
		{method: "GET", path: "/static/{name...}", public: true, serve: (*Server).static, passive: true},
		{method: "GET", path: "/strip", may: read, serve: (*Server).stripPage, passive: true},
		{method: "GET", path: "/events", may: read, serve: (*Server).events, passive: true},

		{method: "GET", path: "/lines", may: read, serve: (*Server).lines},
		{method: "GET", path: "/lines/{number}", may: read, serve: (*Server).line},
		{method: "GET", path: "/message/{place}", may: read, serve: (*Server).message},
		{method: "GET", path: "/message/{place}/print", may: read, serve: (*Server).printed},
		{method: "POST", path: "/message/{place}/answer", may: officer.Answer, serve: (*Server).answer},
		{method: "POST", path: "/message/{place}/ask", may: write, serve: (*Server).ask},
		{method: "GET", path: "/message/{place}/translate", may: write, serve: (*Server).translate},
		{method: "POST", path: "/message/{place}/translate", may: write, serve: (*Server).translated},
		{method: "POST", path: "/message/{place}/aside/{id}", may: write, serve: (*Server).dropAside},
		{method: "POST", path: "/message/{place}/disclosure", may: officer.Export, serve: (*Server).disclosure, strict: true},

		{method: "GET", path: "/compose", may: write, serve: (*Server).compose},
		{method: "POST", path: "/compose", may: write, serve: (*Server).composed},
		{method: "GET", path: "/call", may: write, serve: (*Server).call},
		{method: "POST", path: "/call", may: write, serve: (*Server).call},
		{method: "GET", path: "/question", may: write, serve: (*Server).question},
		{method: "POST", path: "/question", may: write, serve: (*Server).question},
		{method: "GET", path: "/propose", may: write, serve: (*Server).propose},
		{method: "POST", path: "/propose", may: write, serve: (*Server).propose},
		{method: "GET", path: "/drafts", may: read, serve: (*Server).drafts},
		{method: "GET", path: "/drafts/{id}", may: read, serve: (*Server).draft},
		{method: "POST", path: "/drafts/{id}/submit", may: officer.SubmitDraft, serve: plainApproval(submitting), strict: true},
		{method: "POST", path: "/drafts/{id}/submit/begin", may: officer.SubmitDraft, serve: beginApproval(submitting), strict: true},
		{method: "POST", path: "/drafts/{id}/submit/finish", may: officer.SubmitDraft, serve: finishApproval(submitting), strict: true},
		{method: "POST", path: "/drafts/{id}/release", may: officer.ReleaseDraft, serve: plainApproval(releasing), strict: true},
		{method: "POST", path: "/drafts/{id}/release/begin", may: officer.ReleaseDraft, serve: beginApproval(releasing), strict: true},
		{method: "POST", path: "/drafts/{id}/release/finish", may: officer.ReleaseDraft, serve: finishApproval(releasing), strict: true},
		{method: "POST", path: "/drafts/{id}/return", may: officer.ReturnDraft, serve: (*Server).returnDraft},
		{method: "POST", path: "/drafts/{id}/drop", may: write, serve: (*Server).dropDraft},

		{method: "GET", path: "/duties", may: read, serve: (*Server).duties},
		{method: "GET", path: "/record", may: read, serve: (*Server).record},
		{method: "POST", path: "/record/export", may: officer.Export, serve: (*Server).exported, strict: true},
		{method: "POST", path: "/record/forks/{index}", may: officer.Export, serve: (*Server).forkProof, strict: true},
		{method: "GET", path: "/manual", may: read, serve: (*Server).manual},
		{method: "GET", path: "/manual/{name}", may: read, serve: (*Server).manual},
		{method: "GET", path: "/settings", may: officer.ManageSelf, serve: (*Server).settings},
		{method: "POST", path: "/settings", may: officer.ManageSelf, serve: (*Server).saveSettings},
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
