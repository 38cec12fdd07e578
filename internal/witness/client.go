package witness

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"parley"
	"parley/journal"
)

// Client submits heads to one witness, ours or one written by others. It
// keeps no state; when to submit is the caller's to plan.
type Client struct {
	URL  string       // submission prefix, such as https://witness.example/parley
	HTTP *http.Client // nil: one with a timeout of 10 s; redirects are never followed
}

// maxAnswer is the greatest answer that is read: a few dozen lines, ML-DSA-44
// cosignatures among them.
const maxAnswer = 256 << 10

var defaultHTTP = &http.Client{Timeout: 10 * time.Second}

// Add submits a signed checkpoint together with a proof from the size old, of
// which the witness is believed to hold a head. The lines it returns are in
// form only: see Verify. Errors are *Conflict, *Unknown, *Refused, or a
// failure to reach the witness (CodeUnreachable).
func (c *Client) Add(ctx context.Context, old uint64, proof []parley.Hash, note []byte) ([]journal.Line, error) {
	body := (&request{old, proof, note}).append(nil)
	url := strings.TrimSuffix(c.URL, "/") + "/add-checkpoint"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, parley.Errorf(CodeUnreachable, "witness: %w", err)
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	hc := defaultHTTP
	if c.HTTP != nil {
		hc = c.HTTP
	}
	once := *hc
	// A redirected POST may become a GET; a witness has one address.
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := once.Do(req)
	if err != nil {
		return nil, parley.Errorf(CodeUnreachable, "witness: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, parley.Errorf(CodeUnreachable, "witness: %w", err)
	}
	if len(b) > maxAnswer {
		return nil, &Refused{resp.StatusCode, "the answer is too long"}
	}
	return answer(resp.StatusCode, resp.Header.Get("Content-Type"), b)
}

// answer reads what a witness said.
func answer(status int, kind string, b []byte) ([]journal.Line, error) {
	switch status {
	case http.StatusOK:
		lines, err := journal.ParseLines(b)
		if err != nil || len(lines) == 0 {
			return nil, &Refused{status, "the answer is not a list of signature lines"}
		}
		return lines, nil
	case http.StatusConflict:
		kind, _, _ = strings.Cut(kind, ";")
		if size, err := parseSize(strings.TrimSuffix(string(b), "\n")); kind == "text/x.tlog.size" && err == nil {
			return nil, &Conflict{Size: size, HasSize: true}
		}
		return nil, &Conflict{}
	case http.StatusForbidden, http.StatusNotFound:
		return nil, &Unknown{status}
	}
	text, _, _ := strings.Cut(string(b), "\n")
	return nil, &Refused{status, printable(text)}
}

// printable makes a witness's words fit for a log line and a screen.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r > 0x2ff {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 200)]
}

// Submit adds a checkpoint of the given size. prove gives the consistency
// proof from an older size to it. If the witness holds another size than old,
// and not more than size, it is asked once more from there. It returns the
// lines and the size that the witness held before.
//
// A *Conflict with a Size above size means that the witness has seen more of
// the caller's own log than the caller has (start-up case b); one without a
// size means that it refuses.
func (c *Client) Submit(ctx context.Context, old, size uint64, note []byte, prove func(old uint64) ([]parley.Hash, error)) ([]journal.Line, uint64, error) {
	for try := 0; ; try++ {
		var proof []parley.Hash
		if old != 0 && old != size {
			var err error
			if proof, err = prove(old); err != nil {
				return nil, old, err
			}
		}
		lines, err := c.Add(ctx, old, proof, note)
		var conflict *Conflict
		if try > 0 || !errors.As(err, &conflict) || !conflict.HasSize || conflict.Size > size || conflict.Size == old {
			return lines, old, err
		}
		old = conflict.Size
	}
}

// Verify picks the cosignatures that verify under the charter's witness keys
// for a head of a Parley log. The others are dropped; dropped says how many.
// Whether a time lies too far ahead is for the caller, who has a clock.
func Verify(c *parley.Charter, lines []journal.Line, origin string, size uint64, root parley.Hash) (good []journal.Cosig, dropped int) {
	id, err := parley.ParseOrigin(origin)
	if err != nil || id.Channel != c.Channel() {
		return nil, len(lines)
	}
	type signer struct {
		name string
		pq   bool
	}
	seen := map[signer]bool{}
	for _, l := range lines {
		pq, cosig, ok := verifyLine(c, l, origin, size, root)
		if !ok || seen[signer{l.Name, pq}] {
			dropped++
			continue
		}
		seen[signer{l.Name, pq}] = true
		good = append(good, journal.Cosig{Log: id, Size: size, Name: l.Name, PQ: pq, Cosignature: cosig})
	}
	return good, dropped
}

func verifyLine(c *parley.Charter, l journal.Line, origin string, size uint64, root parley.Hash) (pq bool, cosig journal.Cosignature, ok bool) {
	cosig, ok = l.Cosignature()
	if !ok {
		return false, cosig, false
	}
	for _, w := range c.Witnesses {
		switch {
		case w.Ed != nil && l.IsCosign(w.Name, w.Ed):
			return false, cosig, journal.VerifyCosign(w.Ed, cosig, origin, size, root)
		case w.PQ != nil && l.IsSeal(w.Name, w.PQ):
			return true, cosig, journal.VerifySeal(w.PQ, w.Name, cosig, origin, size, root)
		}
	}
	return false, cosig, false
}
