package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/host"
	"parley/internal/node"
	"parley/journal"
)

// Options of a performance.
type Options struct {
	Dir    string    // holds a directory for each member and witness; "": a temporary one, removed at the end
	Once   bool      // play without waiting and show the end only
	Out    io.Writer // for people; nil: nowhere
	Color  bool      // ANSI colours
	Width  int       // characters a line, 32 to 100; 0: 80
	Script []byte    // a scenario; nil: Crisis
	Speed  float64   // of the pauses between steps; 0: 1, twice as fast: 2

	// Console opens every member's console for a browser on this machine, with
	// officers who sign in without a passkey, and keeps all running after the
	// last step until the context ends.
	Console bool
}

// Summary says what a performance left behind.
type Summary struct {
	Parties        int    `json:"parties"`         // members of the channel
	Lines          int    `json:"lines"`           // of the registry, in force
	Entries        int    `json:"entries"`         // in the record, of all members
	Receipts       int    `json:"receipts"`        // for each entry, members other than its author that hold it
	WitnessedHeads int    `json:"witnessed_heads"` // heads that the charter's quorum of witnesses cosigned
	Overdue        int    `json:"overdue"`         // duties that were late when the scenario ended
	Forks          int    `json:"forks"`
	Record         string `json:"record"` // the exported record, "" if its directory was temporary
}

// RecordName is the exported record in Options.Dir.
const RecordName = "record" + ".parley"

// Run plays a scenario: every member and witness runs in this process, with a
// directory and keys of its own, over TLS on the loopback network, on the
// scenario's clock. It returns when the scenario is over and its record has
// been exported and verified.
//
// If ctx ends while people watch, the performance ends early and Run returns
// what there is. With Once it returns ctx's error.
//
// Errors: CodeDir if Dir is in use or its parent is missing; CodeScenario, with
// the line, for mistakes of the scenario; CodeSettle if the members do not come
// to the same record within a minute.
func Run(ctx context.Context, o Options) (_ *Summary, err error) {
	text := Crisis
	if o.Script != nil {
		text = string(o.Script)
	}
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	kept := o.Dir != ""
	if o.Dir, err = prepare(o.Dir); err != nil {
		return nil, err
	}
	if !kept {
		defer os.RemoveAll(o.Dir)
	}
	c := newClock(s.Steps[0].At.Add(-lead))
	w, err := newWorld(s, o.Dir, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if kept {
		if err := w.readme(); err != nil {
			return nil, err
		}
	}
	p := newPlayer(o, w)
	if err := p.play(ctx); err != nil {
		return nil, err
	}
	return p.finish(kept)
}

// lead is how long before the first step the members start.
const lead = 2 * time.Minute

// prepare makes or checks the directory.
func prepare(dir string) (string, error) {
	if dir == "" {
		dir, err := os.MkdirTemp("", "parley-demo-")
		if err != nil {
			return "", parley.Errorf(CodeDir, "%w", err)
		}
		return dir, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", parley.Errorf(CodeDir, "%w", err)
	}
	if err := os.Mkdir(dir, 0o700); err == nil {
		return dir, nil
	} else if !errors.Is(err, os.ErrExist) {
		return "", parley.Errorf(CodeDir, "%w", err)
	}
	files, err := os.ReadDir(dir)
	switch {
	case err != nil:
		return "", parley.Errorf(CodeDir, "%w", err)
	case len(files) > 0:
		return "", parley.Errorf(CodeDir, "%s is not empty", dir)
	}
	return dir, nil
}

// player plays the steps and shows what comes of them.
type player struct {
	o    Options
	w    *world
	s    *Scenario
	out  *screen
	refs map[string]parley.Ref // of the steps' labels
	said map[parley.Ref]*Step  // of the entries
	show seen
	n    int // steps played
}

func newPlayer(o Options, w *world) *player {
	p := &player{o: o, w: w, s: w.s, refs: map[string]parley.Ref{}, said: map[parley.Ref]*Step{},
		show: seen{health: map[uint8]string{}, talked: map[parley.Ref]bool{}}}
	if o.Out == nil {
		p.o.Out = io.Discard
	}
	if o.Speed <= 0 {
		p.o.Speed = 1
	}
	p.out = newScreen(p.o.Out, o.Width, o.Color, w.sorted())
	return p
}

// play starts the members and plays the steps.
func (p *player) play(ctx context.Context) error {
	if err := p.w.start(); err != nil {
		return err
	}
	err := p.w.settle(ctx)
	if err == nil && p.o.Console {
		err = p.consoles(ctx)
	}
	if err == nil {
		p.opening()
		err = p.invite(ctx)
	}
	if err == nil {
		err = p.steps(ctx)
	}
	if err == nil && p.o.Console {
		return p.stay(ctx)
	}
	if err != nil && ctx.Err() != nil && !p.o.Once {
		p.interrupted()
		return nil
	}
	return err
}

func (p *player) steps(ctx context.Context) error {
	for i, st := range p.s.Steps {
		if err := p.pause(ctx); err != nil {
			return err
		}
		if err := p.step(ctx, i, st); err != nil {
			return err
		}
		if p.n++; p.out.err != nil {
			return p.out.err
		}
	}
	return nil
}

// step plays one step: the clock, the entry, and what comes of it.
func (p *player) step(ctx context.Context, i int, st *Step) error {
	var stop time.Time
	if i+1 < len(p.s.Steps) {
		stop = p.s.Steps[i+1].At.Add(-time.Second)
	}
	p.w.clock.forward(st.At, stop)
	if err := p.w.tick(ctx); err != nil {
		return err
	}
	if err := p.w.settle(ctx); err != nil {
		return err
	}
	p.heading(i, st)
	var ref parley.Ref
	if st.Do != Wait {
		d, err := p.draft(ctx, st)
		if err != nil {
			return err
		}
		if err := p.rest(ctx, 400*time.Millisecond); err != nil {
			return err
		}
		if ref, err = p.w.host(st.From).Node.Post(ctx, d); err != nil {
			return err
		}
		p.said[ref] = st
		if st.Name != "" {
			p.refs[st.Name] = ref
		}
		if err := p.receipts(ctx, ref, d); err != nil {
			return err
		}
	}
	if err := p.w.settle(ctx); err != nil {
		return err
	}
	return p.outcome(ctx, st, ref)
}

// draft is the step as its author's desk releases it. What the desk refuses is
// a mistake of the scenario.
func (p *player) draft(ctx context.Context, st *Step) (d parley.Draft, err error) {
	e := p.w.host(st.From).Node.Do(ctx, func(v node.View) {
		if d, err = st.Draft(v.Docket.Hotline, func(label string) parley.Ref { return p.refs[label] }); err == nil {
			err = v.Docket.Check(d, v.Now)
		}
	})
	if e != nil {
		return d, e
	}
	if err != nil {
		return d, parley.Errorf(CodeScenario, "in the step of line %d: %w", st.Row, err)
	}
	return d, nil
}

// pause gives the watchers time before a step: to see what the last one
// brought, and to read what it said.
func (p *player) pause(ctx context.Context) error {
	d := 2500 * time.Millisecond
	if p.n > 0 {
		d += time.Duration(len(p.s.Steps[p.n-1].Text)) * 8 * time.Millisecond
	}
	return p.rest(ctx, d)
}

// rest waits, unless the performance is for nobody.
func (p *player) rest(ctx context.Context, d time.Duration) error {
	if p.o.Once {
		return ctx.Err()
	}
	t := time.NewTimer(time.Duration(float64(d) / p.o.Speed))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// desk asks the hotline desk of a member.
func (p *player) desk(ctx context.Context, m parley.Party, f func(d *hotline.Desk, now time.Time)) error {
	return p.w.host(m).Node.Do(ctx, func(v node.View) { f(v.Docket.Hotline, v.Now) })
}

// exporter is the member that exports the record: a mediator if there is one,
// so that it is nobody's side.
func (w *world) exporter() *host.Host {
	for i, m := range w.s.Members {
		if m.Role == parley.RoleMediator {
			return w.hosts[i]
		}
	}
	return w.hosts[0]
}

// finish exports the record, verifies it, and sums up.
func (p *player) finish(keep bool) (*Summary, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.w.settle(ctx); err != nil {
		return nil, err
	}
	if err := p.w.seal(ctx); err != nil {
		return nil, err
	}
	record, counts, err := p.w.export(ctx)
	if err != nil {
		return nil, err
	}
	sum := &Summary{Parties: len(p.s.Members), Entries: int(counts.Entries), Forks: int(counts.Forks)}
	if err := p.w.count(sum); err != nil {
		return nil, err
	}
	late, err := p.late(ctx)
	if err != nil {
		return nil, err
	}
	sum.Overdue = len(late)
	h := p.w.exporter()
	if err := p.desk(ctx, h.Me(), func(d *hotline.Desk, now time.Time) {
		for _, l := range d.Lines(now) {
			if l.Line != nil {
				sum.Lines++
			}
		}
	}); err != nil {
		return nil, err
	}
	if keep {
		sum.Record = filepath.Join(p.w.dir, RecordName)
		if err := os.WriteFile(sum.Record, record, 0o644); err != nil {
			return nil, parley.Errorf(CodeDir, "%w", err)
		}
	}
	p.closing(ctx, sum, late)
	return sum, p.out.err
}

// export writes the record and verifies what it wrote, as a stranger would who
// knows the channel.
func (w *world) export(ctx context.Context) ([]byte, *journal.Counts, error) {
	var b bytes.Buffer
	if err := w.exporter().Export(ctx, &b); err != nil {
		return nil, nil, err
	}
	var counts *journal.Counts
	ch := w.signed.Channel()
	err := journal.VerifyRecord(bytes.NewReader(b.Bytes()), journal.Verify{Channel: &ch}, func(f journal.Finding) {
		if f.Counts != nil {
			counts = f.Counts
		}
	})
	return b.Bytes(), counts, err
}
