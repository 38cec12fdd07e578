package host

import (
	"context"
	"log/slog"
	"time"

	"parley/station"
)

// A record that was restored or is rebuilt is behind what its party signed, and
// every peer that says so raises an alarm. For a while after such a start those
// alarms are expected: they are still shown, with a word that calms who did it
// and warns who did not.

// expectFor is how long after such a start they are expected: as long as a node
// asks the members what it had receipted (protocol 7.8), and a start-up.
const expectFor = 90 * time.Second

// ExpectedNote follows the text of an expected alarm.
const ExpectedNote = " (expected now: this record was restored or rebuilt. If nobody did that, stop the node and find out why)"

// Expects reports whether an alarm is one that a restored record raises, soon
// after its start.
func (h *Host) Expects(code string) bool {
	return h.doubted && (code == station.AlarmStale || code == station.AlarmForeign) && h.opts.Now().Before(h.opened.Add(expectFor))
}

// calm is a log handler that says so of expected alarms.
type calm struct {
	slog.Handler
	h *Host
}

func (c calm) Handle(ctx context.Context, r slog.Record) error {
	expected := false
	r.Attrs(func(a slog.Attr) bool {
		expected = a.Key == "alarm" && c.h.Expects(a.Value.String())
		return !expected
	})
	if expected {
		n := slog.NewRecord(r.Time, slog.LevelInfo, r.Message+ExpectedNote, r.PC)
		r.Attrs(func(a slog.Attr) bool { n.AddAttrs(a); return true })
		r = n
	}
	return c.Handler.Handle(ctx, r)
}

func (c calm) WithAttrs(as []slog.Attr) slog.Handler { return calm{c.Handler.WithAttrs(as), c.h} }
func (c calm) WithGroup(name string) slog.Handler    { return calm{c.Handler.WithGroup(name), c.h} }
