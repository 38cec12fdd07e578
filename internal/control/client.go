package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"parley"
	"parley/internal/host"
)

// Codes of the client: no node answers in a directory, and a node that ended
// before it had answered.
const (
	CodeNotRunning parley.Code = "node-not-running"
	CodeUnclear    parley.Code = "no-answer-from-node"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeNotRunning: "Start the node first: parley serve --dir DIR. Nothing was sent.",
	CodeUnclear:    "Start the node again and look at parley inbox before you repeat anything: the message may stand in the record.",
})

// Client talks to the node that runs in a directory.
type Client struct {
	dir  string
	http *http.Client
}

// Dial names the node of a directory; the first request finds out whether it
// runs.
func Dial(dir string) *Client {
	path := filepath.Join(dir, "node.sock")
	return &Client{dir, &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}}}}
}

// Stream makes a request and returns the body of its answer.
func (c *Client) Stream(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://node"+path, &b)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			if errors.Is(err, fs.ErrPermission) {
				return nil, parley.Errorf(host.CodeFile, "this user may not speak with the node in %s", c.dir)
			}
			if _, err := os.Stat(filepath.Join(c.dir, "card")); errors.Is(err, fs.ErrNotExist) {
				return nil, parley.Errorf(CodeNotRunning, "no node runs in %s, which holds no party: name its directory with --dir", c.dir)
			}
			return nil, parley.Errorf(CodeNotRunning, "no node runs in %s", c.dir)
		}
		return nil, parley.Errorf(CodeUnclear, "the node in %s ended before it answered", c.dir)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var e Error
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&e); err != nil {
		return nil, parley.Errorf(CodeRequest, "the node answered %s", resp.Status)
	}
	return nil, &parley.Error{Code: e.Code, Msg: e.Text}
}

// Call makes a request and decodes its answer into out.
func (c *Client) Call(ctx context.Context, method, path string, body, out any) error {
	r, err := c.Stream(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || len(b) == 0 {
		return parley.Errorf(CodeUnclear, "the node in %s ended before it answered", c.dir)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return parley.Errorf(CodeRequest, "the node's answer cannot be read: %w", err)
	}
	return nil
}
