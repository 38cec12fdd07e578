package journal

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley"
)

// maxSmallFile is the greatest number of sections of a disclosure or a fork
// proof: a member may have changed its keys many times.
const maxSmallFile = 1024

// VerifyDisclosure checks one disclosed entry and reports what it proves. As
// with a record, nothing is reported of a file that is broken anywhere.
func VerifyDisclosure(r io.Reader, o Verify, report func(Finding)) error {
	f := smallFile{Verify: o, kind: FileDisclosure}
	if err := f.read(r); err != nil {
		return err
	}
	return f.entry.report(reporter{o.Channel == nil, report, f.charter})
}

// WriteFork writes a fork proof as a file that a stranger can check: the
// charter and every ROOTKEYS known, which say whose the log key is, around it.
func WriteFork(w io.Writer, charter *parley.SignedCharter, keys []*Announced, f *Fork) error {
	out := newSectionWriter(w, FileFork)
	out.put(tagCharter, charter.Encode())
	for _, a := range sortAnnounced(keys) {
		out.put(tagKeys, a.Encode())
	}
	out.put(tagFork, f.Encode())
	return out.end(nil)
}

// VerifyFork checks the file of a fork proof. Its nil error means that the
// accused signed two histories.
func VerifyFork(r io.Reader, o Verify, report func(Finding)) error {
	f := smallFile{Verify: o, kind: FileFork}
	if err := f.read(r); err != nil {
		return err
	}
	rep := reporter{o.Channel == nil, report, f.charter}
	rep.basis(f.keys.Channel)
	p := f.fork
	rep.log(Forked, &p.Log, "%s signed two histories of this log", rep.member(p.Log.Party))
	rep.log(Proved, &p.Log, "its log key signed a head of %d entries with root %s", p.A.Size, p.A.Root)
	rep.log(Proved, &p.Log, "its log key signed a head of %d entries with root %s", p.B.Size, p.B.Root)
	if p.Other != nil {
		rep.log(Proved, &p.Log, "the history of the second head had root %s at size %d", *p.Other, p.A.Size)
	}
	rep.file(Limit, "why: a stolen key, a restored disk and a lie look alike; the party answers for its key")
	rep.file(Limit, "which history is the true one: entries up to the last common size stand")
	rep.line(Finding{Status: Total, Text: "1 fork proved", Counts: &Counts{Forks: 1}})
	return nil
}

// smallFile is a disclosure or fork proof: C, K ..., then (P, T) or F.
type smallFile struct {
	Verify
	kind    FileKind
	charter *parley.Charter
	keys    *Keyring
	last    *Announced
	policy  []byte
	entry   *disclosed
	fork    *Fork
}

func (f *smallFile) read(r io.Reader) error {
	if err := readAll(r, f.kind, maxSmallFile, f.section); err != nil {
		return err
	}
	if f.kind == FileDisclosure && f.entry == nil || f.kind == FileFork && f.fork == nil {
		return parley.Errorf(CodeSection, "the file ends before what it is about")
	}
	return nil
}

func (f *smallFile) section(sec *section) (err error) {
	done := f.entry != nil || f.fork != nil
	switch {
	case sec.n == 0 && sec.tag == tagCharter:
		return f.readCharter(sec)
	case sec.n == 0 || done:
	case sec.tag == tagKeys && f.policy == nil:
		a, err := ParseAnnounced(sec.payload)
		if err != nil {
			return within(sec, err)
		}
		if f.last != nil && compareAnnounced(f.last, a) >= 0 {
			return parley.Errorf(parley.CodeNotSorted, "section %d: changes of keys are not sorted", sec.n)
		}
		f.last = a
		return f.keys.Announce(a)
	case sec.tag == tagPolicy && f.kind == FileDisclosure && f.policy == nil:
		f.policy = sec.payload
		return nil
	case sec.tag == tagProof && f.policy != nil:
		p, err := ParseTlogProof(sec.payload)
		if err != nil {
			return within(sec, err)
		}
		f.entry = &disclosed{smallFile: f, proof: p}
		return f.entry.check()
	case sec.tag == tagFork && f.kind == FileFork:
		if f.fork, err = ParseFork(sec.payload); err != nil {
			return within(sec, err)
		}
		return f.keys.VerifyFork(f.fork)
	}
	return parley.Errorf(CodeSection, "section %d: %s may not stand here", sec.n, nameOf(sec.tag))
}

func (f *smallFile) readCharter(sec *section) error {
	signed, charter, err := parley.ParseSignedCharter(sec.payload)
	if err != nil {
		return within(sec, err)
	}
	if m := signed.Missing(charter); m != nil {
		return parley.Errorf(parley.CodeUnsigned, "the charter lacks the signature of member %d", m[0])
	}
	f.charter, f.keys = charter, NewKeyring(charter, signed.Channel())
	return f.checkChannel(signed.Channel())
}

// disclosed is one entry being checked.
type disclosed struct {
	*smallFile
	proof  *TlogProof
	log    parley.LogID
	author *parley.Keys
	leaf   Leaf
	cosigs []Cosig // verified
	pq     bool    // sealed by its author
	late   int
}

func (d *disclosed) check() (err error) {
	n := d.proof.Checkpoint
	if d.log, d.author, err = d.keys.author(n); err != nil {
		return err
	}
	if want := Policy(d.charter, d.log, d.author.LogEd); want != string(d.policy) {
		return parley.Errorf(CodePolicy, "the policy is not that of the charter for log %s", d.log)
	}
	if err := d.checkLeaf(); err != nil {
		return err
	}
	seen := map[cosigner]bool{}
	for _, l := range n.Lines[1:] {
		if err := d.cosig(n, l, seen); err != nil {
			return err
		}
	}
	return nil
}

// checkLeaf recomputes the leaf from the disclosed entry. The audience inside
// the entry is that of the leaf, unless the entry is malformed.
func (d *disclosed) checkLeaf() error {
	p := d.proof
	e, err := parley.ParseEntry(p.Content.Entry)
	if err != nil {
		return parley.Errorf(CodeLeaf, "what is disclosed is no entry: %w", err)
	}
	d.leaf = Leaf{e.To, Commit(p.Checkpoint.Origin, p.Index, p.Content.Salt, p.Content.Entry)}
	if err := CheckInclusion(p.Proof, p.Index, d.leaf.Hash(), p.Checkpoint.Size, p.Checkpoint.Root); err != nil {
		return parley.Errorf(CodeLeaf, "entry %d of log %s is not the one that its author signed: %w", p.Index, d.log, err)
	}
	return nil
}

// cosig verifies a line under the head. A line that no key of the charter made
// is refused: it could only mislead.
func (d *disclosed) cosig(n *Checkpoint, l Line, seen map[cosigner]bool) error {
	c, err := d.keys.VerifyLine(n, l, d.author)
	if err != nil {
		return err
	}
	id := cosigner{c.Name, c.PQ}
	if seen[id] {
		return parley.Errorf(parley.CodeNotSorted, "two lines of %q under the head by keys of one kind", l.Name)
	}
	seen[id] = true
	d.pq = d.pq || c.Name == n.Origin
	if d.Now != 0 && c.Time > d.Now+30 {
		d.late++
		return nil
	}
	d.cosigs = append(d.cosigs, *c)
	return nil
}

type cosigner struct {
	name string
	pq   bool
}

func (d *disclosed) report(r reporter) error {
	p, n := d.proof, d.proof.Checkpoint
	e, err := parley.ParseEntry(p.Content.Entry)
	if err != nil {
		return err
	}
	malformed := CheckEntry(d.charter, d.log, p.Index, e.To, p.Content.Entry, e)
	posted := &Shown{Size: n.Size, Root: n.Root, Serial: d.author.Serial, Newest: d.keys.Newest(d.log.Party), Posted: parley.Posted{
		Entry: e, Ref: parley.Ref{Party: d.log.Party, Lane: d.log.Lane, Gen: d.log.Gen, Index: p.Index, Leaf: d.leaf.Hash()}}}
	if malformed != nil {
		posted.Standing = parley.Malformed
	}
	if err := d.accept(&Accepted{Channel: d.keys.Channel, Charter: d.charter, Disclosed: posted}); err != nil {
		return err
	}
	counts := &Counts{Logs: 1, Entries: 1, Opened: 1}
	r.basis(d.keys.Channel)
	r.entry(Proved, &d.log, p.Index, "%s to %s stands at this place under a head of %d entries, signed by %s (log key of serial %d)",
		kindName(e.Kind), r.members(e.To), n.Size, r.member(d.log.Party), d.author.Serial)
	if n := d.keys.Newest(d.log.Party); n > d.author.Serial {
		r.entry(Flagged, &d.log, p.Index, "the log key was replaced later (serial %d): whether the entry stands depends on what the root-signed generation cites, which only a record shows", n)
	}
	if malformed != nil {
		counts.Malformed = 1
		r.entry(Flagged, &d.log, p.Index, "MALFORMED: %v", malformed)
	}
	if d.pq {
		counts.Seals = 1
		r.log(Proved, &d.log, "the head is sealed by its author with ML-DSA-44")
	} else {
		r.log(Limit, &d.log, "no seal: if Ed25519 is ever broken, this proof falls with it")
	}
	if t, ok := Witnessed(d.charter, d.cosigs, p.Index); ok {
		counts.Witnessed = 1
		index := p.Index
		r.line(Finding{Status: Proved, Log: &d.log, Entry: &index, NotAfter: t, Text: "it existed by " + utc(t) + ": a quorum of the charter's witnesses cosigned the head"})
	} else {
		r.entry(Limit, &d.log, p.Index, "when it existed: no quorum of witnesses stands under this head")
	}
	for _, rc := range Receipts(d.charter, d.log, d.cosigs, p.Index) {
		counts.Receipts++
		opened := "holds it as a commitment; it was not addressed to it"
		if e.To.Includes(rc.By) {
			opened = "holds and has opened it"
		}
		r.entry(Proved, &d.log, p.Index, "the holder of the receipt key of %s stated that it %s", r.member(rc.By), opened)
		r.entry(Claimed, &d.log, p.Index, "that receipt is of %s, by the clock of %s; it does not say that a person read", utc(rc.Time), r.member(rc.By))
	}
	if d.late > 0 {
		r.log(Flagged, &d.log, "%d cosignatures are more than 30 s ahead of this machine's clock; they prove nothing", d.late)
	}
	r.entry(Claimed, &d.log, p.Index, "written %s by the author's clock", utc(e.Time))
	index := p.Index
	r.line(Finding{Status: Claimed, Log: &d.log, Entry: &index, Text: fmt.Sprintf("its body of %d bytes, as it stands:", len(e.Body)), Body: show(e.Body)})
	r.file(Limit, "what else the parties wrote: one entry says nothing of those before and after it")
	r.file(Limit, "whether its author's keys were in force: a later change of keys or a fork is not in this file unless it is shown")
	r.line(Finding{Status: Total, Counts: counts, Text: fmt.Sprintf("1 entry disclosed; %d receipts, %d seals, %d witnessed", counts.Receipts, counts.Seals, counts.Witnessed)})
	return nil
}

// show prints a body for people: the kinds of this program are CBOR and come
// out in diagnostic notation, text as a quoted string, anything else in
// hexadecimal; shortened.
func show(b []byte) string {
	const most = 4096
	if text, ok := parley.Diagnostic(b); ok && len(text) <= most {
		return text
	}
	more := ""
	if len(b) > most {
		b, more = b[:most], " ..."
		for range utf8.UTFMax - 1 { // the cut may fall inside a character
			if !utf8.Valid(b) {
				b = b[:len(b)-1]
			}
		}
	}
	if utf8.Valid(b) && !strings.ContainsFunc(string(b), func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return fmt.Sprintf("%q%s", b, more)
	}
	return fmt.Sprintf("%x%s", b, more)
}
