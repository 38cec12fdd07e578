package bench

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"time"

	"parley/frame"
)

// message signs and seals the next text.
func (f *floor) message(text string) []byte {
	f.sent++
	m := binary.BigEndian.AppendUint64(make([]byte, 0, 64+len(text)), f.sent)
	m = append(m, text...)
	b := make([]byte, 12, 128+len(text))
	rand.Read(b)
	b = f.aead.Seal(b, b[:12], m, nil)
	return append(b, ed25519.Sign(f.keys[0], b)...)
}

// open verifies and opens a message and gives its number.
func (f *floor) open(b []byte) (n uint64, text []byte, err error) {
	at := len(b) - ed25519.SignatureSize
	if at < 12 || !ed25519.Verify(f.keys[0].Public().(ed25519.PublicKey), b[:at], b[at:]) {
		return 0, nil, errors.New("bench: the floor's message does not verify")
	}
	if text, err = f.aead.Open(nil, b[:12], b[12:at], nil); err != nil {
		return 0, nil, err
	}
	return binary.BigEndian.Uint64(text), text, nil
}

func (f *floor) receipt(n uint64) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, floorReceipt), n)
	b = binary.BigEndian.AppendUint64(b, uint64(time.Now().Unix()))
	return append(b, ed25519.Sign(f.keys[1], b)...)
}

// receipted verifies a receipt and gives the number up to which it holds.
func (f *floor) receipted(b []byte) (uint64, error) {
	if len(b) != floorReceipt || !ed25519.Verify(f.keys[1].Public().(ed25519.PublicKey), b[:16], b[16:]) {
		return 0, errors.New("bench: the floor's receipt does not verify")
	}
	return binary.BigEndian.Uint64(b), nil
}

// receive is the receiver: what has come is opened and verified, and one
// receipt over all of it is signed, stored with it, and sent.
func (f *floor) receive() error {
	in := bufio.NewReaderSize(f.conns[1], 64<<10)
	for {
		group, err := f.next(in)
		if err != nil {
			return err
		}
		var file []byte
		var last uint64
		for _, b := range group {
			n, text, err := f.open(b)
			if err != nil {
				return err
			}
			last = n
			file = append(append(file, text...), b[len(b)-ed25519.SignatureSize:]...)
		}
		r := f.receipt(last)
		if err := f.store(1, append(file, r...)); err != nil {
			return err
		}
		if _, err := f.conns[1].Write(frame.AppendStream(nil, r)); err != nil {
			return err
		}
	}
}

// next is what waits for the receiver, one frame at least.
func (f *floor) next(in *bufio.Reader) (group [][]byte, err error) {
	if f.frames[1] == nil {
		b, err := frame.ReadStream(in, frame.MaxFrame)
		return [][]byte{b}, err
	}
	select {
	case b := <-f.frames[1]:
		group = append(group, b)
	case <-f.ended:
		return nil, f.err()
	}
	for {
		select {
		case b := <-f.frames[1]:
			group = append(group, b)
		default:
			return group, nil
		}
	}
}

// send sends one message and returns when its receipt is stored.
func (f *floor) send(ctx context.Context, i int) error {
	text := texts[i%len(texts)]
	if f.frames[0] == nil {
		return f.sendOne(text)
	}
	m := waitingMessage{text, make(chan struct{})}
	f.posts <- m
	select {
	case <-m.done:
		return nil
	case <-f.ended:
		return f.err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *floor) sendOne(text string) error {
	m := f.message(text)
	if err := f.store(0, append([]byte(text), m[len(m)-ed25519.SignatureSize:]...)); err != nil {
		return err
	}
	if _, err := f.conns[0].Write(frame.AppendStream(nil, m)); err != nil {
		return err
	}
	r, err := frame.ReadStream(f.in, frame.MaxFrame)
	if err != nil {
		return err
	}
	if n, err := f.receipted(r); err != nil {
		return err
	} else if n != f.sent {
		return errors.New("bench: the floor's receipt is of another message")
	}
	return f.store(0, r)
}

// sendGroups is the sender with many under way: what waits and what has come
// share one write and one fsync.
func (f *floor) sendGroups() error {
	first := f.sent + 1 // number of wanted[0]
	for {
		var file, out []byte
		var through uint64
		post := func(m waitingMessage) {
			b := f.message(m.text)
			f.wanted = append(f.wanted, m)
			file = append(append(file, m.text...), b[len(b)-ed25519.SignatureSize:]...)
			out = frame.AppendStream(out, b)
		}
		take := func(b []byte) (err error) {
			through, err = f.receipted(b)
			file = append(file, b...)
			return err
		}
		var err error
		select {
		case m := <-f.posts:
			post(m)
		case b := <-f.frames[0]:
			err = take(b)
		case <-f.ended:
			return f.err()
		}
		for more := true; more && err == nil; {
			select {
			case m := <-f.posts:
				post(m)
			case b := <-f.frames[0]:
				err = take(b)
			default:
				more = false
			}
		}
		if err == nil {
			err = f.store(0, file)
		}
		if err == nil && out != nil {
			_, err = f.conns[0].Write(out)
		}
		if err != nil {
			return err
		}
		for ; first <= through; first++ {
			close(f.wanted[0].done)
			f.wanted = f.wanted[1:]
		}
	}
}
