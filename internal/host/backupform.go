package host

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash"
	"io"

	"parley"
	"parley/journal"
)

// A backup is, inside its age file, the line "parley/backup/1\n" and sections
//
//	tag (1 byte) ‖ length (4 bytes, big-endian) ‖ payload, canonical CBOR
//
//	H  [name, member, time, charter, card, config, gen, logs, entries]
//	per log, in the order of the record:
//	   L  [party, lane, gen, size, head: [size, root, sig] / null]
//	   E  [* [to, commitment, sig / null, [salt, entry] / null, standing, stored]], in order, repeated
//	   S  [* [size, name, pq, time, sig]], repeated
//	V  [space, key, value], repeated: the values that are not secret
//	Z  [logs, entries, cosignatures, values]
//	G  the signature of the node's receipt key (64 bytes) over everything before
//	   it, and nothing after it
//
// Tree hashes are left out, because they follow from the leaves. Audience keys,
// KEM keys and the data key are not in it, nor any key of the node. That the
// file is whole rests on age: it fails to decrypt where it was cut or changed.
// That this party's node made it rests on the signature: to seal a file to the
// recovery key, its public half is enough.
const backupLine = "parley/backup/1\n"

const (
	tagBackup = 'H'
	tagCopied = 'L'
	tagRows   = 'E'
	tagCosigs = 'S'
	tagValue  = 'V'
	tagEnd    = 'Z'
	tagSigned = 'G'

	maxSection  = 16 << 20
	sectionFull = 256 << 10 // bytes at which a section of rows or cosignatures is closed
	maxItems    = 4096      // in one section
)

// backupHead says whose record a backup holds and how much of it.
type backupHead struct {
	Name    string
	Member  parley.Party
	Time    uint64 // seconds since 1970, by the clock of the machine
	Charter []byte // signed
	Card    []byte
	Config  []byte
	Gen     parley.Gen // the own generation at that time
	Logs    uint64
	Entries uint64
}

func (h *backupHead) encode() []byte {
	b := parley.AppendArray(nil, 9)
	b = parley.AppendText(b, h.Name)
	b = parley.AppendUint(b, uint64(h.Member))
	b = parley.AppendUint(b, h.Time)
	b = parley.AppendBytes(b, h.Charter)
	b = parley.AppendBytes(b, h.Card)
	b = parley.AppendBytes(b, h.Config)
	b = parley.AppendBytes(b, h.Gen[:])
	b = parley.AppendUint(b, h.Logs)
	return parley.AppendUint(b, h.Entries)
}

func parseBackupHead(b []byte) (*backupHead, error) {
	d := parley.NewDecoder(b, 2)
	var h backupHead
	d.Array(9, 9)
	h.Name, h.Member, h.Time = d.Text(1, 64), d.Party(), d.Uint(parley.MaxUint)
	h.Charter, h.Card, h.Config = d.Bytes(1, maxSection), d.Bytes(1, maxSection), d.Bytes(0, maxSection)
	h.Gen, h.Logs, h.Entries = d.Gen(), d.Uint(parley.MaxUint), d.Uint(parley.MaxUint)
	return &h, d.End()
}

func encodeState(s *journal.LogState) []byte {
	b := parley.AppendArray(nil, 5)
	b = parley.AppendUint(b, uint64(s.Log.Party))
	b = parley.AppendUint(b, uint64(s.Log.Lane))
	b = parley.AppendBytes(b, s.Log.Gen[:])
	b = parley.AppendUint(b, s.Size)
	if s.Head == nil {
		return parley.AppendNull(b)
	}
	b = parley.AppendArray(b, 3)
	b = parley.AppendUint(b, s.Head.Size)
	b = parley.AppendBytes(b, s.Head.Root[:])
	return parley.AppendBytes(b, s.Head.Sig)
}

func parseState(b []byte, ch parley.Hash) (*journal.LogState, error) {
	d := parley.NewDecoder(b, 2)
	var s journal.LogState
	d.Array(5, 5)
	s.Log = parley.LogID{Channel: ch, Party: d.Party(), Lane: parley.Lane(d.Uint(parley.Lanes - 1)), Gen: d.Gen()}
	s.Size = d.Uint(parley.MaxUint)
	if !d.Null() {
		d.Array(3, 3)
		s.Head = &journal.SignedHead{Log: s.Log, Size: d.Uint(parley.MaxUint), Root: d.Hash(), Sig: d.Bytes(parley.SizeEdSig, parley.SizeEdSig)}
	}
	return &s, d.End()
}

func appendRow(b []byte, r *journal.Row) []byte {
	b = parley.AppendArray(b, 6)
	b = parley.AppendUint(b, uint64(r.Leaf.To))
	b = parley.AppendBytes(b, r.Leaf.Commit[:])
	if r.Sig == nil {
		b = parley.AppendNull(b)
	} else {
		b = parley.AppendBytes(b, r.Sig)
	}
	if r.Content == nil {
		b = parley.AppendNull(b)
	} else {
		b = parley.AppendArray(b, 2)
		b = parley.AppendBytes(b, r.Content.Salt[:])
		b = parley.AppendBytes(b, r.Content.Entry)
	}
	b = parley.AppendUint(b, uint64(r.Standing))
	return parley.AppendUint(b, r.Stored)
}

func parseRow(d *parley.Decoder) (r journal.Row) {
	d.Array(6, 6)
	r.Leaf.To = parley.Audience(d.Uint(1<<32 - 1))
	r.Leaf.Commit = d.Hash()
	if !d.Null() {
		r.Sig = d.Bytes(0, parley.SizeEdSig)
	}
	if !d.Null() {
		d.Array(2, 2)
		r.Content = &journal.Content{Salt: d.Hash(), Entry: d.Bytes(0, maxSection)}
	}
	r.Standing = parley.Standing(d.Uint(255))
	r.Stored = d.Uint(parley.MaxUint)
	return r
}

func appendCosig(b []byte, c *journal.Cosig) []byte {
	b = parley.AppendArray(b, 5)
	b = parley.AppendUint(b, c.Size)
	b = parley.AppendText(b, c.Name)
	pq := uint64(0)
	if c.PQ {
		pq = 1
	}
	b = parley.AppendUint(b, pq)
	b = parley.AppendUint(b, c.Time)
	return parley.AppendBytes(b, c.Sig)
}

func parseCosig(d *parley.Decoder) (c journal.Cosig) {
	d.Array(5, 5)
	c.Size, c.Name, c.PQ = d.Uint(parley.MaxUint), d.Text(1, 256), d.Uint(1) == 1
	c.Time, c.Sig = d.Uint(parley.MaxUint), d.Bytes(0, parley.SizePQSig)
	return c
}

// list gathers items of one section and writes it when it is full.
type list struct {
	w    *sections
	tag  byte
	n    int
	body []byte
}

func (l *list) add(item func([]byte) []byte) error {
	l.body = item(l.body)
	if l.n++; l.n == maxItems || len(l.body) >= sectionFull {
		return l.flush()
	}
	return nil
}

func (l *list) flush() error {
	if l.n == 0 {
		return nil
	}
	err := l.w.put(l.tag, append(parley.AppendArray(nil, l.n), l.body...))
	l.n, l.body = 0, l.body[:0]
	return err
}

type sections struct {
	w   *bufio.Writer
	sum hash.Hash // of all that was put
}

func (s *sections) put(tag byte, payload []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{tag}, uint32(len(payload)))
	s.sum.Write(head)
	s.sum.Write(payload)
	_, err := s.w.Write(head)
	if err == nil {
		_, err = s.w.Write(payload)
	}
	return err
}

// sectionReader reads sections back.
type sectionReader struct {
	r    *bufio.Reader
	name string
	sum  hash.Hash // of all sections but the signature
}

func (s *sectionReader) damaged(err error) error {
	if parley.CodeOf(err) == CodeSealed {
		return err
	}
	return parley.Errorf(CodeSealed, "%s is no whole backup: %w", s.name, err)
}

// begin reads the first line.
func (s *sectionReader) begin() error {
	b := make([]byte, len(backupLine))
	if _, err := io.ReadFull(s.r, b); err != nil && parley.CodeOf(err) != "" {
		return err
	}
	if string(b) != backupLine {
		return parley.Errorf(CodeSealed, "%s is not a backup of a record", s.name)
	}
	return nil
}

func (s *sectionReader) next() (tag byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return 0, nil, s.damaged(err)
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxSection {
		return 0, nil, s.damaged(errors.New("a section is too long"))
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(s.r, payload); err != nil {
		return 0, nil, s.damaged(err)
	}
	if head[0] != tagSigned {
		s.sum.Write(head[:])
		s.sum.Write(payload)
	}
	return head[0], payload, nil
}

// end reads what must be nothing: age tells at the end of its data whether it
// was cut.
func (s *sectionReader) end() error {
	if _, err := s.r.ReadByte(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("something follows its end")
		}
		return s.damaged(err)
	}
	return nil
}
