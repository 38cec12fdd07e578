package journal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"io"

	"parley"
)

// Verify says how to check a file.
type Verify struct {
	// Channel is the channel that the caller means, learnt from a party it
	// trusts. Without it the file vouches for its own charter, and every
	// line says SELF-ASSERTED.
	Channel *parley.Hash
	// Now is the verifier's clock in seconds since 1970, or 0 for none. A
	// cosignature more than 30 s ahead of it is flagged and proves nothing.
	Now uint64
	// Entries asks for a line per entry, not only per log.
	Entries bool
	// Run runs the jobs, in any order or at once, and returns when all are
	// done. The package starts no goroutine; nil runs one after the other.
	Run func(jobs []func())
	// Accepted, if set, is told of a record or a disclosure that holds whole,
	// before the first line of its report. Its error ends the report.
	Accepted func(*Accepted) error
	// Progress, if set, is told now and then how many bytes were read.
	Progress func(bytes uint64)
}

func (o *Verify) run(jobs []func()) {
	if o.Run != nil {
		o.Run(jobs)
		return
	}
	for _, j := range jobs {
		j()
	}
}

func (o *Verify) checkChannel(ch parley.Hash) error {
	if o.Channel != nil && *o.Channel != ch {
		return parley.Errorf(CodeChannel, "the file is of channel %s, not %s", ch.Short(), o.Channel.Short())
	}
	return nil
}

// batchBytes is how much of a log is gathered before it is checked: enough to
// keep several cores busy, little to hold.
const batchBytes = 4 << 20

// VerifyRecord reads an exported record and checks everything in it. If
// something is broken it returns the first such thing, and nothing is
// reported: a record is whole or it is not relied on. Otherwise it reports
// what is proved, what is only claimed and what is missing, the last line
// holding the counts. An entry that breaks a rule of its format is reported
// as MALFORMED and is no error; neither is a fork.
//
// The record is read as a stream. What is kept of it is about 64 bytes per
// entry, 80 per citation, and 32 more per entry if Entries is set.
func VerifyRecord(r io.Reader, o Verify, report func(Finding)) error {
	in, err := newSectionReader(r, FileRecord)
	if err != nil {
		return err
	}
	v := &verifier{Verify: o, in: in, known: map[parley.Hash]bool{}}
	for done := false; !done; {
		if done, err = v.step(); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress(in.read)
		}
	}
	return v.finish(report)
}

// verifier is the state of checking one record.
type verifier struct {
	Verify
	in *sectionReader

	signedInv []byte // the inventory, until the exporter's keys are known
	invSig    []byte
	inv       *Inventory
	charter   *parley.Charter
	keys      *Keyring
	last      *Announced
	known     map[parley.Hash]bool // announced statements, by hash of their encoding
	opened    bool                 // the inventory's signature was checked
	logs      []*logCheck          // as far as read, in the inventory's order
	cur       *logCheck            // the log being read, nil between logs
	forks     []*Fork
	cites     []citation

	batch []*task
	bytes int
	hurt  *section // first damaged S section whose cosignatures are still to be checked
}

// step reads one section. It returns true after the end mark.
func (v *verifier) step() (bool, error) {
	sec, err := v.in.next()
	if err != nil {
		if err2 := v.flush(); err2 != nil {
			return false, err2
		}
		if v.cur != nil && v.cur.sigErr != nil {
			return false, v.cur.sigErr
		}
		return false, err
	}
	if v.cur != nil && (sec.tag == tagCosigs || sec.tag == tagEntries) {
		v.batch = append(v.batch, &task{sec: sec, log: v.cur})
		v.bytes += len(sec.payload)
		if v.bytes >= batchBytes || sec.tag == tagEntries && (!sec.intact || v.hurt != nil) {
			return false, v.flush()
		}
		if !sec.intact && v.hurt == nil {
			v.hurt = sec
		}
		return false, nil
	}
	if err := v.endLog(); err != nil {
		return false, err
	}
	if err := v.other(sec); err != nil {
		return false, err
	}
	if !sec.intact {
		return false, sec.damage()
	}
	return sec.tag == tagEnd, nil
}

// other checks a section that stands outside the blocks of a log.
func (v *verifier) other(sec *section) error {
	misplaced := parley.Errorf(CodeSection, "section %d: %s may not stand here", sec.n, nameOf(sec.tag))
	switch {
	case sec.n == 0 && sec.tag == tagInventory:
		return v.inventory(sec)
	case sec.n == 1 && sec.tag == tagCharter:
		return v.readCharter(sec)
	case sec.n < 2:
		return misplaced
	case sec.tag == tagKeys && !v.opened:
		return v.announce(sec)
	}
	if err := v.open(); err != nil {
		return err
	}
	switch {
	case sec.tag == tagLog && len(v.logs) < len(v.inv.Logs):
		return v.startLog(sec)
	case len(v.logs) < len(v.inv.Logs):
		h := v.inv.Logs[len(v.logs)]
		return parley.Errorf(CodeInventory, "the inventory lists log %s; section %d is %s instead of it", h.Log(v.inv.Channel), sec.n, nameOf(sec.tag))
	case sec.tag == tagFork && len(v.forks) < len(v.inv.Forks):
		return v.fork(sec)
	case len(v.forks) < len(v.inv.Forks):
		return parley.Errorf(CodeInventory, "the inventory lists %d forks, the file holds %d", len(v.inv.Forks), len(v.forks))
	case sec.tag == tagEnd:
		return v.end(sec)
	}
	return misplaced
}

func nameOf(tag byte) string {
	if s := tagNames[tag]; s != "" {
		return s
	}
	return "an unknown section"
}

func (v *verifier) inventory(sec *section) (err error) {
	if v.signedInv, v.invSig, err = parseSigned(sec.payload); err != nil {
		return within(sec, err)
	}
	if v.inv, err = ParseInventory(v.signedInv); err != nil {
		return within(sec, err)
	}
	return v.checkChannel(v.inv.Channel)
}

func within(sec *section, err error) error {
	code := parley.CodeOf(err)
	if code == "" {
		return err
	}
	return parley.Errorf(code, "section %d (%s): %w", sec.n, nameOf(sec.tag), err)
}

func (v *verifier) readCharter(sec *section) error {
	signed, charter, err := parley.ParseSignedCharter(sec.payload)
	if err != nil {
		return within(sec, err)
	}
	if m := signed.Missing(charter); m != nil {
		return parley.Errorf(parley.CodeUnsigned, "the charter lacks the signature of member %d", m[0])
	}
	if signed.Channel() != v.inv.Channel {
		return parley.Errorf(CodeInventory, "the inventory is of channel %s, the charter of %s", v.inv.Channel.Short(), signed.Channel().Short())
	}
	v.charter, v.keys = charter, NewKeyring(charter, signed.Channel())
	return nil
}

func (v *verifier) announce(sec *section) error {
	a, err := ParseAnnounced(sec.payload)
	if err != nil {
		return within(sec, err)
	}
	if v.last != nil && compareAnnounced(v.last, a) >= 0 {
		return parley.Errorf(parley.CodeNotSorted, "section %d: changes of keys are not sorted", sec.n)
	}
	v.last = a
	v.known[sha256.Sum256(sec.payload)] = true
	return v.keys.Announce(a)
}

// open checks the inventory's signature, once all keys are known.
func (v *verifier) open() error {
	if v.opened {
		return nil
	}
	v.opened = true
	if !v.exporterSigned(InventoryMessage(v.signedInv), v.invSig) {
		return parley.Errorf(CodeInventory, "member %d did not sign the inventory", v.inv.Exporter)
	}
	return nil
}

func (v *verifier) exporterSigned(msg, sig []byte) bool {
	for _, s := range v.keys.sets[v.inv.Exporter] {
		if ed25519.Verify(s.RcptEd, msg, sig) {
			return true
		}
	}
	return false
}

func (v *verifier) fork(sec *section) error {
	f, err := ParseFork(sec.payload)
	if err != nil {
		return within(sec, err)
	}
	if forkHash(sec.payload) != v.inv.Forks[len(v.forks)] {
		return parley.Errorf(CodeInventory, "section %d: the fork of log %s is not the one that the inventory lists", sec.n, f.Log)
	}
	if err := v.keys.VerifyFork(f); err != nil {
		return within(sec, err)
	}
	v.forks = append(v.forks, f)
	return nil
}

func (v *verifier) end(sec *section) error {
	sig, err := v.in.parseEnd(sec, true)
	if err != nil {
		return within(sec, err)
	}
	if !v.exporterSigned(endMessage(v.keys.Channel, sec.before), sig) {
		return parley.Errorf(CodeEndMark, "member %d did not sign the end of the file", v.inv.Exporter)
	}
	return nil
}
