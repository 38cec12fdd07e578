package store

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"

	"parley"
)

// The write-ahead log holds the newest commits after a process was killed.
// SQLite reads it up to the first frame whose checksum does not fit and takes
// the rest for a transaction that a power cut tore, without a word. So a
// flipped bit in it would silently take acknowledged commits away. Open
// therefore reads it first, and compares it with the position that the last
// acknowledged commit left beside the lock (walmark.go).

const (
	walHeader = 32
	walFrame  = 24 + pageSize
)

// walLog is what a write-ahead log holds.
type walLog struct {
	salts  [8]byte
	frames int               // of this log, sound or not
	sound  int               // before the first that is not
	commit int               // sound frames up to the last sound commit
	later  int               // commits that stand after the first unsound frame
	sums   [8]byte           // checksum of the last sound frame that commits
	size   uint32            // pages of the database after that commit
	pages  map[uint32][]byte // newest content of each page
	broken []int             // frames that do not fit their checksum
	mended []int             // of them, those that one flipped bit explains
	header bool              // the header fits its checksum
	blank  bool              // the header is all zeros: nothing was ever committed under it
	tail   bool              // frames of a transaction that did not end follow the last commit
	length int64
}

// readWAL reads the log at path; a missing or empty one has no frames. With
// mend it also looks behind unsound frames for what can be salvaged, and
// corrects a frame that differs in a single bit from what its checksum says.
func readWAL(path string, mend bool) (*walLog, error) {
	w := &walLog{pages: map[uint32][]byte{}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return nil, parley.Errorf(CodeFailed, "write-ahead log: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, parley.Errorf(CodeFailed, "write-ahead log: %w", err)
	}
	w.length = int64(len(b))
	if len(b) < walHeader {
		return w, nil
	}
	h := b[:walHeader]
	w.blank = zero(h)
	if w.header = walHeaderFits(h); !w.header && mend {
		w.header = mendBit(h, walHeaderFits)
	}
	if w.header {
		w.read(b[walHeader:], h, mend)
	}
	return w, nil
}

func walHeaderFits(h []byte) bool {
	magic := binary.BigEndian.Uint32(h)
	if magic&^1 != 0x377f0682 || binary.BigEndian.Uint32(h[4:]) != 3007000 || binary.BigEndian.Uint32(h[8:]) != pageSize {
		return false
	}
	return walSum(magic&1 == 1, [8]byte{}, h[:24]) == [8]byte(h[24:])
}

// walSum continues SQLite's checksum, kept as it is stored: big-endian words.
func walSum(big bool, from [8]byte, b []byte) (out [8]byte) {
	s0, s1 := binary.BigEndian.Uint32(from[:]), binary.BigEndian.Uint32(from[4:])
	for ; len(b) >= 8; b = b[8:] {
		var x, y uint32
		if big {
			x, y = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		} else {
			x, y = binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		}
		s0 += x + s1
		s1 += y + s0
	}
	binary.BigEndian.PutUint32(out[:], s0)
	binary.BigEndian.PutUint32(out[4:], s1)
	return out
}

// read follows the frames. Each is checked from the checksum that the one
// before it carries, so that one damaged frame does not make all that follow
// look damaged.
func (w *walLog) read(b, h []byte, mend bool) {
	big := h[3]&1 == 1
	w.salts = [8]byte(h[16:24])
	last := [8]byte(h[24:32])
	fits := func(f []byte) bool {
		if [8]byte(f[8:16]) != w.salts || binary.BigEndian.Uint32(f) == 0 {
			return false
		}
		return walSum(big, walSum(big, last, f[:8]), f[24:]) == [8]byte(f[16:24])
	}
	pending := map[uint32][]byte{} // of a transaction that has not committed yet
	sound := true
	for ; len(b) >= walFrame; b = b[walFrame:] {
		f := b[:walFrame]
		ok := fits(f)
		stranger := [8]byte(f[8:16]) != w.salts
		if !ok && stranger && !(mend && nextFrameIsOurs(b, w.salts)) {
			return // left over from before the log was begun again
		}
		w.frames++
		n := w.frames
		if !ok {
			sound = false
			w.broken = append(w.broken, n)
			if mend && mendBit(f, fits) {
				w.mended = append(w.mended, n)
				ok = true
			}
		}
		last = [8]byte(f[16:24])
		commits := binary.BigEndian.Uint32(f[4:8])
		w.tail = commits == 0
		if sound {
			w.sound = n
		} else if commits != 0 {
			w.later++
		}
		if ok && (sound || mend) {
			pending[binary.BigEndian.Uint32(f)] = f[24:]
		}
		if commits == 0 || !ok {
			continue
		}
		if sound {
			w.commit, w.sums = n, last
		}
		if sound || mend {
			w.size = commits
			for p, page := range pending {
				w.pages[p] = page
			}
			clear(pending)
		}
	}
}

// nextFrameIsOurs tells a frame whose salt a flipped bit changed from the
// leftovers of an older log.
func nextFrameIsOurs(b []byte, salts [8]byte) bool {
	differ := 0
	for i, x := range b[8:16] {
		for x ^= salts[i]; x != 0; x &= x - 1 {
			differ++
		}
	}
	return differ == 1 || len(b) >= 2*walFrame && [8]byte(b[walFrame+8:walFrame+16]) == salts
}

// mendBit looks for the one bit whose flipping makes b fit, and leaves it
// flipped. It reports false, with b as it was, if there is none.
func mendBit(b []byte, fits func([]byte) bool) bool {
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			if fits(b) {
				return true
			}
			b[i] ^= 1 << bit
		}
	}
	return false
}
