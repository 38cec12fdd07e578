package sim

import (
	"math/rand/v2"
	"time"

	"parley"
	"parley/journal/journaltest"
	"parley/station"
)

// commands are what a line of a script may begin with. README.md in testdata
// lists them with an example each.
var commands map[string]func(*script, *args)

// quiet are commands that take no time.
var quiet = map[string]bool{"duties": true, "lines": true, "show": true, "record": true, "proofs": true, "calls": true,
	"backup": true, "image": true, "crash": true, "world": true, "heal": true, "delay": true, "export": true}

func init() { // not a literal: the commands refer to the table
	commands = map[string]func(*script, *args){
		"world": (*script).begin, "at": (*script).until, "heal": (*script).heal, "successor": (*script).succeed, "close": (*script).close,
		"cut": (*script).cut, "join": (*script).join, "isolate": (*script).isolate, "rejoin": (*script).rejoin,
		"stall": (*script).stall, "release": (*script).release, "delay": (*script).delay,
		"stop": (*script).stop, "start": (*script).start, "crash": (*script).crash, "clock": (*script).setClock,
		"backup": (*script).backup, "image": (*script).image, "restore": (*script).restore, "wipe": (*script).wipe,
		"rotate": (*script).rotate, "twin": (*script).twin,
		"post": (*script).post, "answer": (*script).answer, "translate": (*script).translate, "call": (*script).call, "ask": (*script).ask, "line": (*script).line,
		"open": (*script).open, "leave": (*script).leave,
		"duties": (*script).duties, "lines": (*script).lines, "show": (*script).show, "calls": (*script).calls,
		"record": (*script).record, "proofs": (*script).proofs, "export": (*script).export,
	}
}

// until: at +4h, at 09:15.
func (s *script) until(a *args) {
	x := a.word("a time")
	t := s.when(x)
	d := t.Sub(s.w.now)
	if d < unhurried {
		panic(complain("%s has passed; it is %s", x, s.w.now.Format("2006-01-02 15:04:05")))
	}
	s.pass(d - unhurried)
}

// heal ends the script: what was broken is whole again, and every promise of
// the simulator must hold.
func (s *script) heal(*args) {
	s.w.heal()
	n := 0
	for _, ls := range s.w.truth.leaves {
		n += len(ls)
	}
	if len(s.w.truth.lost) > 0 {
		s.say("healed; %d of the honest members' entries are lost for ever, every other is with every honest member", len(s.w.truth.lost))
		return
	}
	s.say("healed: every honest entry is with every honest member, and a stranger's verifier accepts their records")
}

// close ends the channel in favour of a successor that all have signed.
func (s *script) close(*args) {
	var finals []parley.Head
	for _, l := range s.w.nodes[0].st.Logs() {
		if l.Head.Size > 0 && l.Current && len(finals) < parley.MaxHeads {
			finals = append(finals, l.Head)
		}
	}
	s.next = s.channel(s.w.ch, finals)
	s.say("the successor is in force; every node ends this channel with %d heads as final", len(finals))
	for _, n := range s.w.nodes {
		n.feed(station.Close{Successor: s.next.ID, Finals: finals})
	}
}

// succeed heals the channel that was closed and goes on in the next.
func (s *script) succeed(*args) {
	if s.next == nil {
		panic(complain("the channel has not been closed"))
	}
	s.w.heal()
	s.say("healed; the officers go on in the successor")
	next := s.next
	s.next, s.order, s.told = nil, nil, map[string]bool{}
	s.refs, s.called = map[string]parley.Ref{}, map[parley.Ref]string{}
	s.settle(next)
}

// link is the link between two nodes.
func (s *script) link(a *args, between string) (l *link, from int) {
	x := s.node(a)
	if between != "" && a.word(between) != between {
		panic(complain("write stall A %s B", between))
	}
	y := s.node(a)
	for _, l := range s.w.links {
		for i := range l.ends {
			if l.ends[i] == x && l.ends[1-i] == y {
				return l, i
			}
		}
	}
	panic(complain("%s and %s have no link", s.name(x), s.name(y)))
}

func (s *script) cut(a *args) {
	l, _ := s.link(a, "")
	l.cut = true
	l.end()
}

func (s *script) join(a *args) {
	l, _ := s.link(a, "")
	l.cut = false
	l.try()
	s.w.run(5 * time.Second)
}

func (s *script) isolate(a *args) { s.w.isolate(s.node(a), true) }

func (s *script) rejoin(a *args) {
	s.w.isolate(s.node(a), false)
	s.w.run(5 * time.Second)
}

func (s *script) stall(a *args) {
	l, from := s.link(a, ">")
	l.stall(from, true)
}

func (s *script) release(a *args) {
	l, from := s.link(a, ">")
	l.stall(from, false)
}

// delay: how long every frame is on its way from now on.
func (s *script) delay(a *args) { s.w.plan.Latency = span(a.word("a time")) }

func (s *script) stop(a *args) {
	n := s.node(a)
	s.say("%s: its node stops", s.name(n))
	n.die()
}

func (s *script) start(a *args) { s.boot(s.node(a)) }

// boot starts a node and waits until it has compared its record with others.
func (s *script) boot(n *node) {
	s.say("%s: its node starts", s.name(n))
	n.boot()
	s.w.run(15 * time.Second)
	if !n.st.Ready() {
		s.say("%s: its node waits for its peers before it writes anything", s.name(n))
	}
}

// crash says where the next entry of a node ends its process.
func (s *script) crash(a *args) {
	n := s.node(a)
	where := a.word("before-commit, after-commit or after-mark")
	f, ok := map[string]fate{"before-commit": beforeCommit, "after-commit": afterCommit, "after-mark": afterMark}[where]
	if !ok {
		panic(complain("no boundary %q", where))
	}
	s.doom[n] = f
}

// ended is told that a process died at a boundary.
func (s *script) ended(n *node) { s.say("%s: its node crashes", s.name(n)) }

// clock: clock India +10y, clock India right.
func (s *script) setClock(a *args) {
	n := s.node(a)
	x := a.word("+10y or right")
	switch {
	case x == "right":
		n.right()
	case x[0] == '+' || x[0] == '-':
		n.since, n.skew = s.w.now, span(x[1:])
		if x[0] == '-' {
			n.skew = -n.skew
		}
	default:
		panic(complain("write clock %s +10y, -1h or right", s.name(n)))
	}
	s.say("%s: its clock shows %s", s.name(n), n.clock().Format("2006-01-02 15:04"))
}

func (s *script) backup(a *args) { n := s.node(a); n.backups = append(n.backups, n.disk.backup()) }
func (s *script) image(a *args)  { n := s.node(a); n.images = append(n.images, n.disk.image()) }

// restore: the newest backup, or the newest image of the whole machine.
func (s *script) restore(a *args) {
	n := s.node(a)
	switch k := a.word("backup or image"); {
	case k == "backup" && len(n.backups) > 0:
		d := n.backups[len(n.backups)-1].image()
		d.copied = true
		s.replace(n, d, "its backup is restored")
	case k == "image" && len(n.images) > 0:
		s.replace(n, n.images[len(n.images)-1].image(), "its machine is put back to an old image")
	default:
		panic(complain("%s has no %s", s.name(n), k))
	}
}

func (s *script) wipe(a *args) {
	s.replace(s.node(a), &disk{Mem: &journaltest.Mem{}}, "its disk is empty")
}

func (s *script) replace(n *node, d *disk, what string) {
	old := n.disk
	s.say("%s: its node stops; %s", s.name(n), what)
	n.die()
	n.disk = d
	s.w.truth.replaced(n, old)
	s.w.stats.add("machine restored", 1)
	s.boot(n)
}

func (s *script) rotate(a *args) {
	n := s.node(a)
	if !n.up() || !n.st.Ready() || n.serial != s.w.serials[n.me] {
		panic(complain("%s cannot take new keys now", s.name(n)))
	}
	s.say("%s: its root puts new node keys in force", s.name(n))
	s.w.rotate(n)
}

// twin turns a member hostile: it goes on as two processes from one disk, each
// of which faces some of the others.
func (s *script) twin(a *args) {
	n := s.node(a)
	n.lies = map[trick]bool{}
	s.w.plan.Hostile = []trick{equivocate}
	n.rng = rand.New(rand.NewPCG(0, 0xbad))
	s.w.split(n)
	twins := s.w.byMember[n.me]
	if len(twins) != 2 {
		panic(complain("%s is not up", s.name(n)))
	}
	for _, t := range twins {
		for _, l := range s.w.links {
			for i, end := range l.ends {
				if end == t {
					s.say("%s faces %s", s.name(t), s.name(l.ends[1-i]))
				}
			}
		}
	}
	s.w.run(15 * time.Second)
}
