package demo

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"parley"
	"parley/internal/console"
	"parley/internal/host"
	"parley/internal/node"
	"parley/internal/officer"
)

// firstPort is where the first member's console listens if the port is free;
// the others take the next ones, so that addresses stay the same from one
// performance to the next.
const firstPort = 8441

// officers of every member's book. They sign in without a passkey, and the
// rosters that name them say for ever that they are a demonstration's.
var officers = []officer.Identity{
	{Name: "Officer A", Title: "Duty officer", Roles: officer.AllRoles},
	{Name: "Officer B", Title: "Director", Roles: officer.AllRoles},
}

// desk is one member's console: the book of its officers, and its pages.
type desk struct {
	member parley.Party
	book   *officer.Book
	server *console.Server
	in     []*officer.SignIn // of its officers, while they are set up
}

// consoles opens the console of every member and has its officers release the
// roster of their keys, so that what they release later can be checked.
func (p *player) consoles(ctx context.Context) error {
	for _, m := range p.w.order() {
		d, err := p.w.openConsole(m)
		if err != nil {
			return err
		}
		p.w.desks = append(p.w.desks, d)
		if err := d.enrol(); err != nil {
			return err
		}
	}
	if err := p.w.rosters(ctx); err != nil {
		return err
	}
	for _, d := range p.w.desks {
		for _, in := range d.in {
			if err := d.book.SignOut(in.Session); err != nil {
				return err
			}
		}
		d.in = nil
	}
	return p.w.settle(ctx)
}

// openConsole opens one member's book and console and serves it. The book
// reads the wall clock, since a session must not end because the exercise goes
// on to the next day; the pages read the exercise's.
func (w *world) openConsole(m parley.Party) (*desk, error) {
	h := w.host(m)
	addr, err := consoleAddr(len(w.desks))
	if err != nil {
		return nil, err
	}
	origins := []string{"http://" + addr}
	book, err := officer.Open(officer.Config{Path: filepath.Join(w.dirs[m-1], "officers.db"), Channel: h.Signed.Channel(),
		Party: m, Name: w.name(m), RPID: "localhost", Origins: origins, Demo: true})
	if err != nil {
		return nil, err
	}
	d := &desk{member: m, book: book}
	d.server, err = console.New(console.Config{Host: h, Book: book, Addr: addr, Origins: origins, Demo: true, Now: w.clock.Now})
	if err != nil {
		book.Close()
		return nil, err
	}
	w.wg.Go(func() { d.server.Run(w.ctx) })
	return d, nil
}

// consoleAddr is the address of the n-th console: its usual port, or any other
// if something else has that.
func consoleAddr(n int) (string, error) {
	for _, port := range []int{firstPort + n, 0} {
		l, err := net.Listen("tcp", fmt.Sprintf("localhost:%d", port))
		if err != nil {
			continue
		}
		defer l.Close()
		return fmt.Sprintf("localhost:%d", l.Addr().(*net.TCPAddr).Port), nil
	}
	return "", parley.Errorf(CodeWitness, "no port of this machine is free for a console")
}

// enrol enters the officers and signs them in.
func (d *desk) enrol() error {
	for _, who := range officers {
		id, err := d.book.DemoOfficer(who)
		if err != nil {
			return err
		}
		in, err := d.book.DemoSignIn("the demonstration itself", id)
		if err != nil {
			return err
		}
		d.in = append(d.in, in)
	}
	return nil
}

// look is a little more than an officer must look at a draft before he
// approves it.
const look = 2200 * time.Millisecond

// rosters has every member's first officer submit the roster and the second
// release it, and posts it.
func (w *world) rosters(ctx context.Context) error {
	drafts := make([]*officer.Draft, len(w.desks))
	for i, d := range w.desks {
		draft, err := d.book.DraftRoster(d.in[0].Session)
		if err != nil {
			return err
		}
		if drafts[i], err = d.book.View(d.in[0].Session, draft.ID); err != nil {
			return err
		}
	}
	if err := sleep(ctx, look); err != nil {
		return err
	}
	for i, d := range w.desks {
		c, err := d.book.BeginSubmit(d.in[0].Session, drafts[i].ID, drafts[i].Digest)
		if err != nil {
			return err
		}
		if _, err := d.book.FinishSubmit(d.in[0].Session, c.ID, nil); err != nil {
			return err
		}
		if _, err := d.book.View(d.in[1].Session, drafts[i].ID); err != nil {
			return err
		}
	}
	if err := sleep(ctx, look); err != nil {
		return err
	}
	for i, d := range w.desks {
		c, err := d.book.BeginRelease(d.in[1].Session, drafts[i].ID, drafts[i].Digest)
		if err != nil {
			return err
		}
		ready, err := d.book.FinishRelease(d.in[1].Session, c.ID, nil)
		if err != nil {
			return err
		}
		if err := post(ctx, w.host(d.member), d.book, ready); err != nil {
			return err
		}
	}
	return nil
}

// post posts what was released and says so to the book.
func post(ctx context.Context, h *host.Host, book *officer.Book, ready *officer.Ready) error {
	drafts := []parley.Draft{ready.Message}
	if ready.Two {
		var words parley.Draft
		var err error
		if e := h.Node.Do(ctx, func(v node.View) {
			words, err = v.Docket.Release.Compose(ready.Message, ready.Drafted, ready.Released)
		}); e != nil {
			return e
		}
		if err != nil {
			return err
		}
		drafts = []parley.Draft{words, ready.Message}
	}
	refs, err := h.Node.PostTogether(ctx, drafts...)
	if err != nil {
		return err
	}
	return book.Posted(ready.Draft, refs[len(refs)-1])
}

// headStart is how long the performance waits before its first step, so that
// the consoles are open when something arrives on them.
const headStart = 20 * time.Second

// invite says where the consoles are.
func (p *player) invite(ctx context.Context) error {
	if !p.o.Console {
		return nil
	}
	for _, d := range p.w.desks {
		p.out.field("console", p.w.name(d.member)+": "+d.server.URL())
	}
	p.out.field("sign in", "as Officer A or Officer B, without a passkey: a demonstration's consoles let in whoever sits at this machine, say DEMO on every page, and never run on a real channel")
	if !p.o.Once {
		p.out.field("begins", fmt.Sprintf("in %d seconds, so that you can open two of them side by side", int(headStart.Seconds()/p.o.Speed)))
	}
	p.out.rule(p.s.Type.Banner())
	return p.rest(ctx, headStart)
}

// stay keeps the members and their consoles running for whoever wants to go on
// from where the scenario ends.
func (p *player) stay(ctx context.Context) error {
	p.out.field("go on", "the members and their consoles keep running; write and release a message of your own. Ctrl-C ends the exercise and verifies its record")
	for _, d := range p.w.desks {
		p.out.field("console", p.w.name(d.member)+": "+d.server.URL())
	}
	for ctx.Err() == nil {
		for _, h := range p.w.hosts { // heads go to the witness soon, not at a cadence that the exercise's clock keeps
			h.Submit(ctx)
		}
		sleep(ctx, witnessing)
	}
	p.out.raw("\n")
	return nil
}

// witnessing is how often heads go to the witnesses after the last step.
const witnessing = 3 * time.Second

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
