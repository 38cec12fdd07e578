package console

import "net/http"

// home leads an officer to the lines.
func (s *Server) home(w http.ResponseWriter, q *request) error {
	http.Redirect(w, q.Request, "/lines", http.StatusSeeOther)
	return nil
}
