package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley"
	"parley/hotline"
)

// The first and the last words of a performance.

const disclaimer = "Reconstruction from press reports: no real message is shown, and no words of any person. " +
	"Every step names its source. What reports claim stands as they claim it, side by side where they differ; nothing is confirmed or averaged. " +
	"The order of the members is that of the alphabet, and colours mean nothing but who."

func (p *player) opening() {
	s, w := p.out, p.w
	s.banner(p.s.Type.Banner())
	s.raw("\n")
	for _, line := range wrap(shown(p.s.Title), s.width-2) {
		s.raw(" " + s.paint(bold, line) + "\n")
	}
	s.raw("\n")
	for _, line := range wrap(disclaimer, s.width-2) {
		s.raw(" " + line + "\n")
	}
	s.raw("\n")
	for _, m := range w.order() {
		s.field("member", fmt.Sprintf("%s (%s): own keys, own record, own node at %s", w.name(m), p.s.Members[m-1].Role, w.host(m).Addr()))
	}
	for _, m := range w.watch {
		s.field("witness", m.name+": sees signed heads and times, never content; "+m.url)
	}
	for _, x := range p.s.Sources {
		s.field("source "+x.Key, x.Text)
	}
	s.field("clock", "the exercise's own: it jumps to the time of each step. A time behind a member's name is by that member's clock")
	if p.o.Once {
		s.field("playing", fmt.Sprintf("%d steps without waiting ...", len(p.s.Steps)))
	}
	s.rule(p.s.Type.Banner())
}

func (p *player) interrupted() {
	p.out.raw("\n")
	p.out.rule(p.s.Type.Banner())
	p.out.field("stopped", fmt.Sprintf("after %d of %d steps, by the one who watches", p.n, len(p.s.Steps)))
}

// closing shows what stands at the end.
func (p *player) closing(ctx context.Context, sum *Summary, late []parley.Duty) {
	s, w := p.out, p.w
	end := w.clock.Now()
	s.raw(" " + s.paint(bold, "At the end, "+end.Format("Mon 2 Jan 2006 15:04Z")) + "\n")
	if views, err := p.lineViews(ctx); err == nil {
		for _, v := range views {
			s.field(fmt.Sprintf("line %d", v.number), v.name+": "+strings.ToUpper(v.health)+". "+v.text)
		}
	}
	p.unanswered(ctx)
	const most = 5
	for i, d := range late {
		if i == most && len(late) > most+1 {
			s.field("overdue", fmt.Sprintf("and %d more", len(late)-most))
			break
		}
		s.field("overdue", p.owes(d)+"; due "+d.By.Format("2 Jan 15:04Z"))
	}
	s.raw("\n")
	s.field("record", fmt.Sprintf("%d entries of %d members, all receipted by all: %d receipts", sum.Entries, sum.Parties, sum.Receipts))
	s.field("lines", fmt.Sprintf("%d in force", sum.Lines))
	s.field("witnessed", fmt.Sprintf("%d heads", sum.WitnessedHeads))
	s.field("overdue", fmt.Sprint(sum.Overdue))
	s.field("forks", fmt.Sprint(sum.Forks))
	if sum.Record != "" {
		s.field("file", sum.Record)
		s.raw(p.check(sum))
	}
	s.banner(p.s.Type.Banner())
}

// check is the command line by which a stranger verifies the record. It is not
// broken, so that it can be copied.
func (p *player) check(sum *Summary) string {
	return fmt.Sprintf("\n parley-verify %s --channel %s\n\n", quoteArg(sum.Record), p.w.signed.Channel())
}

// unanswered lists the calls that did not come through, and what followed.
func (p *player) unanswered(ctx context.Context) {
	for _, m := range p.w.order() {
		p.desk(ctx, m, func(d *hotline.Desk, _ time.Time) {
			for _, c := range d.Calls(hotline.Filter{Author: m}) {
				if c.Attempt == nil || c.Attempt.Outcome == hotline.Connected {
					continue
				}
				text := fmt.Sprintf("%s called %s at %s: %s", p.w.name(c.Attempt.Caller), p.w.names(c.Attempt.Called),
					at(c.Attempt.At).Format("2 Jan 15:04Z"), c.Attempt.Outcome)
				if c.Talked != 0 {
					text += ", talked after " + lasting(c.Waited)
				}
				p.out.field("call", text)
			}
		})
	}
}

func quoteArg(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-", r))
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// readme says in the directory what is in it.
func (w *world) readme() error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n\n", w.s.Type.Banner(), w.s.Title)
	for _, line := range wrap("Written by \"parley demo\". "+disclaimer, 76) {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n")
	for _, p := range w.order() {
		fmt.Fprintf(&b, "%s/\n    %s, %s: its keys, its charter and its record\n", filepath.Base(w.dirs[p-1]), w.name(p), w.s.Members[p-1].Role)
	}
	for _, m := range w.watch {
		fmt.Fprintf(&b, "%s/\n    %s, witness: its key and the heads it cosigned\n", filepath.Base(m.dir), m.name)
	}
	fmt.Fprintf(&b, "%s\n    the record as one member exported it, for parley-verify\n", RecordName)
	fmt.Fprintf(&b, "\nChannel: %s\n", w.signed.Channel())
	fmt.Fprintf(&b, "\nThe root keys are sealed with the passphrase %q. Everybody knows\nit: never use these keys for anything else.\n", Passphrase)
	if err := os.WriteFile(filepath.Join(w.dir, "README.txt"), []byte(b.String()), 0o644); err != nil {
		return parley.Errorf(CodeDir, "%w", err)
	}
	return nil
}
