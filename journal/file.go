package journal

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"

	"parley"
)

// The three files that travel to strangers (a record, one disclosed entry, the
// proof of a fork) have one frame: a line that says which file it is, then
// sections
//
//	tag (1 byte) ‖ length (4 bytes, big-endian) ‖ payload ‖ check (32 bytes)
//
// where check = SHA-256(previous check ‖ tag ‖ length ‖ payload) and the first
// previous check is the SHA-256 of the line. The last section is the end mark;
// nothing follows it. A changed bit is thus found in the section where it
// stands, and no section can be dropped, added or moved alone. The checks find
// damage only; what a file proves rests on the signatures inside.

// FileKind says what a file for strangers holds.
type FileKind string

// The three kinds are the first line of the file.
const (
	FileRecord     FileKind = "parley/record/1\n"
	FileDisclosure FileKind = "parley/disclosure/1\n"
	FileFork       FileKind = "parley/fork/1\n"
)

// Suffix is the customary suffix of a file of this kind.
func (k FileKind) Suffix() string {
	switch k {
	case FileDisclosure:
		return ".parley-entry"
	case FileFork:
		return ".parley-fork"
	}
	return ".parley"
}

// KindOf tells a file by its first bytes; 32 are enough.
func KindOf(first []byte) (FileKind, bool) {
	for _, k := range []FileKind{FileRecord, FileDisclosure, FileFork} {
		if len(first) >= len(k) && string(first[:len(k)]) == string(k) {
			return k, true
		}
	}
	return "", false
}

// MaxSection is the greatest payload of a section, in bytes.
const MaxSection = 4 << 20

// Tags of sections.
const (
	tagInventory = 'I'
	tagCharter   = 'C'
	tagKeys      = 'K' // one ROOTKEYS
	tagLog       = 'L'
	tagCosigs    = 'S'
	tagEntries   = 'E'
	tagFork      = 'F'
	tagPolicy    = 'P'
	tagProof     = 'T' // a tlog-proof
	tagEnd       = 'Z'
)

var tagNames = map[byte]string{
	tagInventory: "the inventory", tagCharter: "the charter", tagKeys: "a change of keys", tagLog: "the head of a log",
	tagCosigs: "receipts and witnesses", tagEntries: "entries", tagFork: "a fork proof", tagPolicy: "the policy",
	tagProof: "the tlog-proof", tagEnd: "the end mark",
}

type section struct {
	n       uint64 // from 0
	tag     byte
	payload []byte
	intact  bool        // the check fits
	before  parley.Hash // the check of the section before
}

func (s *section) damage() error {
	name := tagNames[s.tag]
	if name == "" {
		name = "an unknown section"
	}
	return parley.Errorf(CodeDamage, "section %d (%s) does not fit its checksum", s.n, name)
}

func sectionHeader(tag byte, n int) (h [5]byte) {
	h[0] = tag
	binary.BigEndian.PutUint32(h[1:], uint32(n))
	return
}

func nextCheck(prev parley.Hash, header [5]byte, payload []byte) (c parley.Hash) {
	h := sha256.New()
	h.Write(prev[:])
	h.Write(header[:])
	h.Write(payload)
	h.Sum(c[:0])
	return
}

// sectionWriter writes sections; the first error sticks.
type sectionWriter struct {
	w     *bufio.Writer
	check parley.Hash
	n     uint64
	err   error
}

func newSectionWriter(w io.Writer, kind FileKind) *sectionWriter {
	s := &sectionWriter{w: bufio.NewWriterSize(w, 64<<10), check: sha256.Sum256([]byte(kind))}
	_, s.err = s.w.WriteString(string(kind))
	return s
}

func (s *sectionWriter) put(tag byte, payload []byte) {
	if s.err == nil && len(payload) > MaxSection {
		s.err = parley.Errorf(parley.CodeTooLarge, "%s of %d bytes; at most %d fit a section", tagNames[tag], len(payload), MaxSection)
	}
	if s.err != nil {
		return
	}
	header := sectionHeader(tag, len(payload))
	s.check = nextCheck(s.check, header, payload)
	s.n++
	for _, b := range [][]byte{header[:], payload, s.check[:]} {
		if _, err := s.w.Write(b); err != nil {
			s.err = err
			return
		}
	}
}

// end writes the end mark: the number of sections before it and, in a record,
// the exporter's signature.
func (s *sectionWriter) end(sig []byte) error {
	b := parley.AppendUint(parley.AppendArray(nil, 2), s.n)
	if sig == nil {
		b = parley.AppendNull(b)
	} else {
		b = parley.AppendBytes(b, sig)
	}
	s.put(tagEnd, b)
	if s.err != nil {
		return s.err
	}
	return s.w.Flush()
}

// sectionReader reads sections, one in memory at a time.
type sectionReader struct {
	r     *bufio.Reader
	check parley.Hash
	n     uint64
	read  uint64 // bytes consumed
}

func newSectionReader(r io.Reader, kind FileKind) (*sectionReader, error) {
	s := &sectionReader{r: bufio.NewReaderSize(r, 64<<10), check: sha256.Sum256([]byte(kind))}
	line := make([]byte, len(kind))
	if _, err := io.ReadFull(s.r, line); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if string(line) != string(kind) {
		return nil, parley.Errorf(CodeFile, "the file does not begin with %q", kind[:len(kind)-1])
	}
	s.read = uint64(len(line))
	return s, nil
}

func (s *sectionReader) fill(b []byte) error {
	n, err := io.ReadFull(s.r, b)
	s.read += uint64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return parley.Errorf(parley.CodeTruncated, "the file ends in section %d, before its end mark", s.n)
	}
	return err
}

// next reads a section. A check that does not fit is not an error here: the
// caller first looks for what in the section is broken.
func (s *sectionReader) next() (*section, error) {
	var header [5]byte
	if err := s.fill(header[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(header[1:])
	if n > MaxSection {
		return nil, parley.Errorf(parley.CodeTooLarge, "section %d of %d bytes; at most %d are allowed", s.n, n, MaxSection)
	}
	sec := &section{n: s.n, tag: header[0], before: s.check}
	var err error
	if sec.payload, err = s.payload(int(n)); err != nil {
		return nil, err
	}
	var check parley.Hash
	if err := s.fill(check[:]); err != nil {
		return nil, err
	}
	// The chain goes on from the check as written, so that one damaged section
	// does not make all that follow look damaged.
	sec.intact = nextCheck(s.check, header, sec.payload) == check
	s.check = check
	s.n++
	return sec, nil
}

// payload reads n bytes, allocating no more than the file holds.
func (s *sectionReader) payload(n int) ([]byte, error) {
	const step = 256 << 10
	b := make([]byte, 0, min(n, step))
	for len(b) < n {
		have := len(b)
		b = append(b, make([]byte, min(step, n-have))...)
		if err := s.fill(b[have:]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// parseEnd reads the end mark's payload and checks that the file ends there.
func (s *sectionReader) parseEnd(sec *section, signed bool) (sig []byte, err error) {
	d := parley.NewDecoder(sec.payload, 1)
	d.Array(2, 2)
	n := d.Uint(parley.MaxUint)
	if signed {
		sig = d.Bytes(parley.SizeEdSig, parley.SizeEdSig)
	} else if !d.Null() {
		d.Fail(parley.Errorf(parley.CodeType, "the end mark of this file is not signed"))
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	if n != sec.n {
		return nil, parley.Errorf(CodeEndMark, "the end mark counts %d sections, the file has %d", n, sec.n)
	}
	if !sec.intact {
		return sig, nil
	}
	if _, err := s.r.ReadByte(); err == nil {
		return nil, parley.Errorf(parley.CodeTrailing, "the file goes on after its end mark")
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return sig, nil
}

// readAll reads a small file whole: its sections before the end mark. A
// section that does not fit its check is passed to look first, so that what is
// broken inside can be named.
func readAll(r io.Reader, kind FileKind, max int, look func(*section) error) error {
	in, err := newSectionReader(r, kind)
	if err != nil {
		return err
	}
	for {
		sec, err := in.next()
		if err != nil {
			return err
		}
		if sec.tag == tagEnd {
			_, err = in.parseEnd(sec, false)
		} else if sec.n >= uint64(max) {
			err = parley.Errorf(parley.CodeLength, "more than %d sections", max)
		} else {
			err = look(sec)
		}
		if err != nil {
			return err
		}
		if !sec.intact {
			return sec.damage()
		}
		if sec.tag == tagEnd {
			return nil
		}
	}
}
