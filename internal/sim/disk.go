package sim

import (
	"errors"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
	"parley/station"
)

// disk is what a node's machine keeps: the record, and the high-water file
// beside it. A commit is all there or not at all, as the store promises. The
// high-water file is made durable now and then: a power cut may take its
// newest state back, or tear it.
type disk struct {
	*journaltest.Mem
	mark   *station.Mark // as a killed process leaves it; nil if missing
	synced *station.Mark // as a power cut leaves it
	copied bool          // stamped COPY: a backup that was put in place
	full   bool
}

var (
	errDied = errors.New("the process died")
	errDisk = errors.New("the disk failed")
)

// image is a copy of the whole machine's disk.
func (d *disk) image() *disk {
	c := *d
	c.Mem = d.Clone(true)
	return &c
}

// backup is a copy as our own command makes it: without secrets and without
// the high-water file, stamped.
func (d *disk) backup() *disk { return &disk{Mem: d.Clone(false), copied: true} }

// doubt is what a start concludes from the disk alone (protocol 7.8, case c):
// the store may be behind what this party has signed.
func (d *disk) doubt(ch parley.Hash, me parley.Party) bool {
	gen, known := d.gen()
	switch {
	case d.copied:
		return true
	case d.mark == nil:
		return known
	case !known || d.mark.Gen != gen:
		return true
	}
	sizes := map[parley.LogID]uint64{}
	logs, _ := d.Logs()
	for _, l := range logs {
		sizes[l.Log] = l.Size
	}
	for lane, size := range d.mark.Sizes {
		if sizes[parley.LogID{Channel: ch, Party: me, Lane: parley.Lane(lane), Gen: gen}] < size {
			return true
		}
	}
	return false
}

func (d *disk) gen() (gen parley.Gen, known bool) {
	d.Values("self", func(key string, v []byte) error {
		if key == "gen" && len(v) == len(gen) {
			gen, known = parley.Gen(v), true
		}
		return nil
	})
	return gen, known
}

// fate is where in the effects of one step a process ends.
type fate int

const (
	lives        fate = iota
	beforeCommit      // the batch is lost
	afterCommit       // the batch is durable, the high-water mark and the frames are lost
	afterMark         // both are durable, the frames are lost
	midSending        // some of the frames left
	failedSync        // the disk refused; the batch may be durable or not
	diskFull          // the disk refused; the batch is lost
)

var fates = [...]string{"", "crash before commit", "crash after commit", "crash after mark", "crash while sending", "failed fsync", "disk full"}

// persist performs a step's batch as far as fate lets it.
func (n *node) persist(b *journal.Batch, m *station.Mark, f fate) error {
	switch {
	case f == beforeCommit && n.w.mutant == hasty:
		return nil
	case f == beforeCommit:
		return errDied
	case f == diskFull, n.disk.full:
		return errDisk
	case f == failedSync && n.w.rng.IntN(2) == 0:
		return errDisk
	}
	if !b.Empty() {
		if err := n.disk.Commit(b); err != nil {
			n.w.fail("%s: the store refuses a batch: %v", n, err)
		}
		n.w.truth.committed(n, b)
	}
	switch f {
	case failedSync:
		return errDisk
	case afterCommit:
		return errDied
	}
	if m != nil {
		x := *m
		n.disk.mark = &x
		n.w.truth.mark(n)
		n.unmarked = false
		if n.w.rng.IntN(4) == 0 {
			n.disk.synced = &x
		}
	}
	if f == afterMark {
		return errDied
	}
	return nil
}

// powerCut takes from the high-water file what was not durable.
func (n *node) powerCut() {
	before := n.disk.mark
	defer func() { n.unmarked = n.unmarked || n.disk.mark != before }()
	switch n.w.rng.IntN(8) {
	case 0, 1, 2:
		n.disk.mark = n.disk.synced
	case 3:
		n.disk.mark = nil // both slots torn, or the file never reached its directory
	}
}
