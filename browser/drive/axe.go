package drive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// The version of axe-core that the tests run, and the SHA-256 of its
// axe.min.js. CI installs it with npm beside this module's go.mod.
const (
	AxeVersion = "4.14.1"
	axeHash    = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
)

// Axe is axe-core's source, or an error that says how to install it.
func Axe(t TB) ([]byte, error) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), "browser", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return nil, errors.Join(err, errors.New("install it: cd browser && npm ci"))
	}
	if h := sha256.Sum256(b); hex.EncodeToString(h[:]) != axeHash {
		return nil, fmt.Errorf("axe.min.js has the SHA-256 %x, not that of version %s", h, AxeVersion)
	}
	return b, nil
}

// Violation is one rule of accessibility that a page breaks.
type Violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string `json:"html"`
		FailureSummary string `json:"failureSummary"`
	}
}

func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s", v.ID, v.Impact, v.Help)
	for i, n := range v.Nodes {
		if i == 3 {
			fmt.Fprintf(&b, "\n  and %d more", len(v.Nodes)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s\n    %s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n    "))
	}
	return b.String()
}

// Axe checks the page that is open by the rules of WCAG 2.2 A and AA and axe's
// best practices. The source goes in through the protocol, so that the page's
// content security policy stays as it is.
func (w *Window) Axe(source []byte) []Violation {
	w.t.Helper()
	if err := w.do(evaluate(string(source))); err != nil {
		w.Fatalf("axe: %v", err)
	}
	out := w.Eval(`axe.run(document, {resultTypes: ["violations"], runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}).then(r => JSON.stringify(r.violations))`)
	var vs []Violation
	if err := json.Unmarshal([]byte(out), &vs); err != nil {
		w.Fatalf("axe: %v", err)
	}
	return vs
}

// evaluate runs a script for its effect.
func evaluate(js string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[string](js+"\n;String(1)")(ctx, t)
		return chromedp.Void{}, err
	}
}
