package journal

import (
	"fmt"
	"slices"
	"strings"

	"parley"
)

func (r *recordReport) oneLog(l *logCheck) {
	log := &l.log
	author := r.member(log.Party)
	r.n.Logs++
	r.n.Entries += l.head.Size
	if l.head.Size == 0 {
		r.log(Missing, log, "the exporter holds no entry of this log of %s", author)
	} else {
		r.log(Proved, log, "%s signed these %d entries, in this order and no other (log key of serial %d)", author, l.head.Size, l.keys.Serial)
		spans := r.spans(l)
		r.seals(l)
		r.times(l, spans)
		r.receipts(l)
		r.blind(l)
		r.flags(l)
		r.entryLines(l, spans)
	}
	if g := r.c.greater[*log]; g != nil {
		r.n.LogsShorter++
		r.log(Missing, log, "the file holds %d entries; %s names a head of %d", l.head.Size, g.by, g.size)
	} else {
		r.log(Proved, log, "nothing in the file names more than these %d entries", l.head.Size)
	}
}

func (r *recordReport) seals(l *logCheck) {
	var size uint64
	for _, m := range l.marks {
		if m.signer == 0 {
			r.n.Seals++
			size = max(size, m.size)
		}
	}
	if size == 0 {
		r.log(Limit, &l.log, "no seal: if Ed25519 is ever broken, this log's signatures fall with it")
		return
	}
	r.log(Proved, &l.log, "sealed by its author with ML-DSA-44 up to %s", entries(size-1, size))
}

func (r *recordReport) times(l *logCheck, spans []span) {
	for i := 0; i < len(spans); {
		s, j := spans[i], i
		for j+1 < len(spans) && spans[j+1].notAfter == s.notAfter {
			j++
		}
		to := spans[j].to
		i = j + 1
		switch {
		case s.notAfter != 0:
			r.n.Witnessed += to - s.from
			r.line(Finding{Status: Proved, Log: &l.log, NotAfter: s.notAfter,
				Text: fmt.Sprintf("%s existed by %s: witnesses %s make the quorum", entries(s.from, to), utc(s.notAfter), strings.Join(s.by, ", "))})
		case r.quorum.None():
			r.log(Limit, &l.log, "the charter asks for no witness: nothing bounds the time of %s", entries(s.from, to))
		default:
			r.log(Limit, &l.log, "the witness quorum did not see %s: nothing bounds their time", entries(s.from, to))
		}
	}
	for _, m := range l.marks {
		if m.signer >= firstWitness {
			r.n.WitnessCosigs++
		}
	}
	if l.late > 0 {
		r.log(Flagged, &l.log, "%d cosignatures are more than 30 s ahead of this machine's clock; they prove nothing", l.late)
	}
}

func (r *recordReport) receipts(l *logCheck) {
	for _, m := range r.v.charter.Members {
		if m.Index == l.log.Party {
			continue
		}
		var size, first, last uint64
		pq := uint64(0)
		for _, k := range l.marks {
			if parley.Party(k.signer) != m.Index {
				continue
			}
			r.n.Receipts++
			size, last = max(size, k.size), max(last, k.time)
			if first == 0 || k.time < first {
				first = k.time
			}
			if k.pq {
				pq = max(pq, k.size)
			}
		}
		if size == 0 {
			r.log(Limit, &l.log, "no receipt of %s", r.member(m.Index))
			continue
		}
		text := fmt.Sprintf("the holder of the receipt key of %s stated that it holds %s and has opened what is addressed to it", r.member(m.Index), entries(0, size))
		if pq > 0 {
			text += fmt.Sprintf(" (with ML-DSA-44 up to %s)", entries(pq-1, pq))
		}
		r.log(Proved, &l.log, "%s", text)
		r.log(Claimed, &l.log, "these receipts are of %s to %s, by the clock of %s; they do not say that a person read", utc(first), utc(last), r.member(m.Index))
	}
}

// blind reports the leaves without an opening, by audience.
func (r *recordReport) blind(l *logCheck) {
	opened := l.head.Size
	by := map[parley.Audience][]string{}
	var order []parley.Audience
	for _, b := range l.notOpened() {
		opened -= b.to - b.from
		if _, ok := by[b.audience]; !ok {
			order = append(order, b.audience)
		}
		by[b.audience] = append(by[b.audience], entries(b.from, b.to))
	}
	r.n.Opened += opened
	for _, a := range order {
		list := by[a]
		if len(list) > 20 {
			list = append(list[:20], fmt.Sprintf("and %d more ranges", len(list)-20))
		}
		r.log(Missing, &l.log, "not opened in this file, addressed to %s: %s", r.members(a), strings.Join(list, ", "))
	}
	for _, i := range slices.Sorted(mapKeys(l.later)) {
		o := l.later[i]
		r.entry(Proved, &l.log, i, "opened later by its author, in entry %s", o.Long())
	}
}

// notOpened are the unopened leaves that no later OPENING opens either.
func (l *logCheck) notOpened() []run {
	if l.later == nil {
		return l.blind
	}
	var out []run
	for _, b := range l.blind {
		from := b.from
		for i := b.from; i < b.to; i++ {
			if _, ok := l.later[i]; ok {
				if from < i {
					out = append(out, run{from, i, b.audience})
				}
				from = i + 1
			}
		}
		if from < b.to {
			out = append(out, run{from, b.to, b.audience})
		}
	}
	return out
}

func mapKeys[V any](m map[uint64]V) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (r *recordReport) flags(l *logCheck) {
	for _, f := range l.flags {
		switch {
		case f.standing == parley.Malformed && l.closed > 0 && f.index == l.closed:
			r.n.Malformed += l.head.Size - l.closed
		case f.standing == parley.Malformed:
			r.n.Malformed++
		}
		r.entry(Flagged, &l.log, f.index, "%s: %s", f.standing, f.why)
	}
	for _, s := range l.standings {
		r.log(Flagged, &l.log, "%s: %s: %s", entries(s.from, s.to), s.is, s.why)
	}
}

// entryLines says for each opened entry what is proved and what is claimed.
func (r *recordReport) entryLines(l *logCheck, spans []span) {
	k := 0
	for i := range l.sums {
		index := uint64(i)
		for spans[k].to <= index {
			k++
		}
		s, sp := &l.sums[i], &spans[k]
		what := kindName(s.kind)
		if !s.opened {
			what = "an entry that is not opened here,"
		} else if s.kind == 0 {
			what = "bytes that are no entry,"
		}
		text := fmt.Sprintf("%s to %s, written by %s", what, r.members(s.to), r.member(l.log.Party))
		if sp.notAfter != 0 {
			text += ", not after " + utc(sp.notAfter)
		}
		r.line(Finding{Status: Proved, Log: &l.log, Entry: &index, Text: text, NotAfter: sp.notAfter})
		if s.kind == 0 {
			continue
		}
		claim := "written " + utc(s.time) + " by the author's clock"
		for p, t := range sp.receipts {
			if t != 0 {
				claim += fmt.Sprintf("; received %s by the clock of %s", utc(t), r.member(parley.Party(p)))
			}
		}
		r.entry(Claimed, &l.log, index, "%s", claim)
	}
}
