package journal

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"parley"
)

// finish reports a record that was verified whole.
func (v *verifier) finish(report func(Finding)) error {
	q, err := v.charter.Quorum()
	if err != nil {
		return err
	}
	c := v.conclude()
	if err := v.accept(&Accepted{Channel: v.keys.Channel, Charter: v.charter, logs: c.logs}); err != nil {
		return err
	}
	r := &recordReport{reporter: reporter{v.Channel == nil, report, v.charter}, v: v, c: c, quorum: q}
	r.n.Exporter = v.inv.Exporter
	r.basis(v.keys.Channel)
	r.file(Basis, "exported by %s, whose receipt key signed the inventory of %d logs and %d forks, and the file to its last byte", r.member(v.inv.Exporter), len(v.inv.Logs), len(v.inv.Forks))
	r.file(Claimed, "exported %s, by the exporter's clock", utc(v.inv.Time))
	for _, l := range v.logs {
		r.oneLog(l)
	}
	r.wholeFile()
	r.line(Finding{Status: Total, Counts: &r.n, Text: r.n.String()})
	return nil
}

func (n *Counts) String() string {
	return fmt.Sprintf("%d entries (%d opened) in %d logs; %d receipts, %d seals, %d entries witnessed; %d malformed, %d forks, %d logs absent, %d shorter than cited",
		n.Entries, n.Opened, n.Logs, n.Receipts, n.Seals, n.Witnessed, n.Malformed, n.Forks, n.LogsAbsent, n.LogsShorter)
}

type recordReport struct {
	reporter
	v      *verifier
	c      *conclusions
	quorum *parley.Quorum
	n      Counts
}

// span is a range of entries to which the same cosignatures apply.
type span struct {
	from, to uint64
	notAfter uint64   // 0: no quorum
	by       []string // the witnesses that made it
	receipts []uint64 // first time by member, with Entries only
}

// spans walks the cosignatures from the greatest size down: an entry is
// covered by every cosignature of a greater size.
func (r *recordReport) spans(l *logCheck) []span {
	c := r.v.charter
	first := make([]uint64, len(c.Witnesses))
	rcpt := make([]uint64, len(c.Members)+1)
	least := func(p *uint64, t uint64) {
		if *p == 0 || t < *p {
			*p = t
		}
	}
	var out []span
	cur := span{to: l.head.Size}
	push := func(from uint64) {
		if cur.from = from; from == cur.to {
			return
		}
		if r.v.Entries {
			cur.receipts = slices.Clone(rcpt)
		} else if n := len(out); n > 0 && out[n-1].notAfter == cur.notAfter {
			out[n-1].from = from
			return
		}
		out = append(out, cur)
	}
	for i := len(l.marks) - 1; i >= 0; {
		size := l.marks[i].size
		push(size)
		cur.to = size
		changed := false
		for ; i >= 0 && l.marks[i].size == size; i-- {
			switch s := int(l.marks[i].signer); {
			case s >= firstWitness:
				least(&first[s-firstWitness], l.marks[i].time)
				changed = true
			case s > 0:
				least(&rcpt[s], l.marks[i].time)
			}
		}
		if changed && !r.quorum.None() {
			cur.notAfter, cur.by = quorumTime(c, r.quorum, first)
		}
	}
	push(0)
	slices.Reverse(out)
	return out
}

func (r *recordReport) wholeFile() {
	for _, f := range r.v.forks {
		r.fork(f, "")
	}
	for _, f := range r.c.forks {
		r.fork(f, "; the proof stands in a NOTICE")
	}
	for _, h := range r.c.hollow {
		r.entry(Flagged, &h.from.log, h.by, "a NOTICE of a fork whose evidence proves nothing; nobody is accused")
	}
	for _, s := range r.c.twice {
		r.file(Flagged, "%s", s)
	}
	var absent []parley.LogID
	for log := range r.c.greater {
		if r.c.logs[log] == nil {
			absent = append(absent, log)
		}
	}
	slices.SortFunc(absent, func(a, b parley.LogID) int {
		return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.Lane, b.Lane), bytes.Compare(a.Gen[:], b.Gen[:]))
	})
	for _, log := range absent {
		g := r.c.greater[log]
		r.n.LogsAbsent++
		r.log(Missing, &log, "this log is not in the file; %s names a head of %d entries", g.by, g.size)
	}
	if r.c.beyond > 0 {
		r.file(Missing, "%d citations are of entries that the file does not hold, and were not compared", r.c.beyond)
	}
	r.file(Limit, "that the record is complete: an exporter can leave out whatever nothing in the file cites")
	r.file(Limit, "when anything was written: an upper bound comes from witnesses alone, and there is no lower bound")
	r.file(Limit, "that a person read anything: a receipt is the statement of a node's key")
}

func (r *recordReport) fork(f *Fork, where string) {
	r.n.Forks++
	log := f.Log
	r.log(Forked, &log, "%s signed two histories of this log, with heads of size %d and %d%s", r.member(log.Party), f.A.Size, f.B.Size, where)
	l := r.c.logs[log]
	if l == nil {
		return
	}
	for _, h := range []ForkHead{f.A, f.B} {
		if h.Size <= l.head.Size && l.rootAt(h.Size) == h.Root {
			r.log(Proved, &log, "the entries in this file are those of the head of size %d", h.Size)
		} else {
			r.log(Missing, &log, "the entries of the head of size %d are not all in this file", h.Size)
		}
	}
}
