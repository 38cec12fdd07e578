package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"parley"
)

// Mark says how far this node's own logs have come: in which generation, and
// the size of the log of each lane.
type Mark struct {
	Gen   parley.Gen
	Sizes [parley.Lanes]uint64
}

// HighWater is a small file beside the record that remembers the newest Mark.
// It is never part of a backup. A record that is behind its mark, or whose
// mark is missing, was restored or replaced, and its node must start a new
// generation: with the old one it could sign a second history.
//
// The node sets the mark after each Commit that adds to its own logs, before
// it signs the head. Set does not wait for the disk. A process that is killed
// loses nothing, since the write is in the system's memory; a power cut may
// lose the newest marks, and then the mark is older than the record, which
// means nothing. Only a mark that is newer than the record accuses.
//
// The file holds two slots of one disk sector each, written in turn, so that
// a torn write spoils at most the older one. A slot is
//
//	"parley/mark/1\n" ‖ sequence (8) ‖ gen (8) ‖ 5 sizes (8 each) ‖ SHA-256 of all before
//
// with numbers big-endian. The valid slot of the greater sequence counts.
type HighWater struct {
	mu    sync.Mutex
	f     *os.File
	seq   uint64
	mark  Mark
	fresh bool // the file holds no mark yet
}

var fsync = (*os.File).Sync // a test counts

const (
	slotMagic  = "parley/mark/1\n"
	slotSize   = len(slotMagic) + 8 + 8 + 8*parley.Lanes + sha256.Size
	slotStride = 4096 // the slots lie in different sectors of any disk
)

// OpenHighWater opens the file at path or makes it. The Mark is nil if the
// file was not there or holds no valid slot. What it returns is durable: a mark
// that a killed process had left in memory makes this start doubt its record,
// and a power cut before the new generation must not take it back.
func OpenHighWater(path string) (*HighWater, *Mark, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, parley.Errorf(CodeFailed, "high-water file: %w", err)
	}
	h := &HighWater{f: f, fresh: true}
	for slot := range int64(2) {
		b := make([]byte, slotSize)
		if _, err := f.ReadAt(b, slot*slotStride); err != nil && !errors.Is(err, io.EOF) {
			f.Close()
			return nil, nil, parley.Errorf(CodeFailed, "high-water file: %w", err)
		}
		if seq, m, ok := parseSlot(b); ok && seq > h.seq {
			h.seq, h.mark, h.fresh = seq, m, false
		}
	}
	if h.fresh {
		return h, nil, nil
	}
	if err := h.sync(); err != nil {
		f.Close()
		return nil, nil, err
	}
	m := h.mark
	return h, &m, nil
}

func appendSlot(b []byte, seq uint64, m Mark) []byte {
	start := len(b)
	b = append(b, slotMagic...)
	b = binary.BigEndian.AppendUint64(b, seq)
	b = append(b, m.Gen[:]...)
	for _, n := range m.Sizes {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	sum := sha256.Sum256(b[start:])
	return append(b, sum[:]...)
}

func parseSlot(b []byte) (seq uint64, m Mark, ok bool) {
	body, sum := b[:slotSize-sha256.Size], b[slotSize-sha256.Size:slotSize]
	if string(body[:len(slotMagic)]) != slotMagic || sha256.Sum256(body) != [32]byte(sum) {
		return 0, m, false
	}
	body = body[len(slotMagic):]
	seq = binary.BigEndian.Uint64(body)
	m.Gen = parley.Gen(body[8:16])
	for i := range m.Sizes {
		m.Sizes[i] = binary.BigEndian.Uint64(body[16+8*i:])
	}
	return seq, m, true
}

// Set records m in the slot that holds the older mark. Within a generation
// sizes never fall. Only the first mark of a new file and that of a new
// generation wait for the disk: to lose those would cost a generation.
func (h *HighWater) Set(m Mark) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.fresh && m == h.mark {
		return nil
	}
	if !h.fresh && m.Gen == h.mark.Gen {
		for lane := range m.Sizes {
			if m.Sizes[lane] < h.mark.Sizes[lane] {
				return parley.Errorf(CodeFailed, "the mark of lane %s would fall from %d to %d", parley.Lane(lane), h.mark.Sizes[lane], m.Sizes[lane])
			}
		}
	}
	slot := int64((h.seq + 1) % 2)
	if _, err := h.f.WriteAt(appendSlot(nil, h.seq+1, m), slot*slotStride); err != nil {
		return parley.Errorf(codeOf(err), "high-water file: %w", err)
	}
	fresh, turn := h.fresh, m.Gen != h.mark.Gen
	h.seq, h.mark, h.fresh = h.seq+1, m, false
	if fresh || turn {
		if err := h.sync(); err != nil {
			return err
		}
	}
	if fresh {
		return syncDir(filepath.Dir(h.f.Name()))
	}
	return nil
}

// Sync waits until the newest mark is on the disk. The node calls it from
// time to time and Close does; a failure ends the process, as one of Commit.
func (h *HighWater) Sync() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sync()
}

func (h *HighWater) sync() error {
	if err := fsync(h.f); err != nil {
		return parley.Errorf(codeOf(err), "high-water file: %w", err)
	}
	return nil
}

// Close syncs and closes the file.
func (h *HighWater) Close() error {
	err := h.Sync()
	if cerr := h.f.Close(); err == nil && cerr != nil {
		err = parley.Errorf(CodeFailed, "high-water file: %w", cerr)
	}
	return err
}
