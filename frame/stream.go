package frame

import (
	"io"

	"parley"
)

// AppendStream appends a frame as streams carry it: its length in three
// bytes, big-endian, then the frame. A frame above MaxFrame panics.
func AppendStream(b, frame []byte) []byte {
	n := len(frame)
	if n == 0 || n > MaxFrame {
		panic("frame: a frame that no stream may carry")
	}
	b = append(b, byte(n>>16), byte(n>>8), byte(n))
	return append(b, frame...)
}

// ReadStream reads one frame of at most max bytes from a stream. It refuses
// the length before it allocates. The error is io.EOF if the stream ends
// between frames and io.ErrUnexpectedEOF if it ends inside one; the caller
// buffers r.
func ReadStream(r io.Reader, max int) ([]byte, error) {
	var p [3]byte
	if _, err := io.ReadFull(r, p[:]); err != nil {
		return nil, err
	}
	n := int(p[0])<<16 | int(p[1])<<8 | int(p[2])
	if n == 0 {
		return nil, parley.Errorf(CodeFrameLength, "an empty frame")
	}
	if n > min(max, MaxFrame) {
		return nil, parley.Errorf(parley.CodeTooLarge, "a frame of %d bytes; at most %d are allowed", n, min(max, MaxFrame))
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b, nil
}

// Near completes a 16-bit index or size: the one value within 32,767 of own
// whose low 16 bits are short. It reports false where there is none, because
// the value would be negative, above 2^53-1, or just half the circle away.
// The receiver then drops the frame, and the next HAVE repairs.
func Near(short uint16, own uint64) (uint64, bool) {
	d := int64(int16(short - uint16(own)))
	v := int64(own) + d
	if own > parley.MaxUint || d == -1<<15 || v < 0 || v > parley.MaxUint {
		return 0, false
	}
	return uint64(v), true
}
