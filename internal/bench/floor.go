package bench

import (
	"bufio"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parley/frame"
)

// floor is the least that keeps the promise of a receipt: no record, no tree,
// no state, nothing to recover. Per message: sign, seal, append to a file and
// fsync, send; open, verify, sign a receipt, append both and fsync, send back;
// verify, append and fsync. With many under way it groups as ours does: all
// that waits shares one write, one fsync and, at the receiver, one receipt,
// and a receipt that arrives is written together with the messages that wait.
// Alone, one goroutine at each end does everything.
type floor struct {
	keys    [2]ed25519.PrivateKey
	aead    cipher.AEAD
	files   [2]*os.File
	conns   [2]*tls.Conn
	in      *bufio.Reader // of the sender's connection
	sent    uint64
	wanted  []waitingMessage // sent, not receipted
	posts   chan waitingMessage
	frames  [2]chan []byte // what a connection's reader has read, if grouped
	running sync.WaitGroup

	mu     sync.Mutex
	failed error
	ended  chan struct{}
}

type waitingMessage struct {
	text string
	done chan struct{}
}

// A message is its number and text, sealed, behind a nonce, and a signature
// over all that; a receipt is a number, a time and a signature.
const floorReceipt = 8 + 8 + ed25519.SignatureSize

func startFloor(base, name string, grouped bool) (_ *floor, err error) {
	f := &floor{ended: make(chan struct{}), posts: make(chan waitingMessage, 512)}
	defer func() {
		if err != nil {
			f.stop()
		}
	}()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if f.aead, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	for i := range f.files {
		if _, f.keys[i], err = ed25519.GenerateKey(nil); err != nil {
			return nil, err
		}
		if f.files[i], err = os.Create(filepath.Join(base, "floor-"+name+string(rune('1'+i)))); err != nil {
			return nil, err
		}
	}
	if err := f.connect(); err != nil {
		return nil, err
	}
	f.in = bufio.NewReaderSize(f.conns[0], 64<<10)
	if grouped {
		for i := range f.frames {
			f.frames[i] = make(chan []byte, 512)
			f.running.Go(func() { f.read(i) })
		}
		f.running.Go(func() { f.end(f.sendGroups()) })
	}
	f.running.Go(func() { f.end(f.receive()) })
	return f, nil
}

// connect makes one TLS 1.3 connection as ours are, keys unchecked.
func (f *floor) connect() error {
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, f.keys[1].Public(), f.keys[1])
	if err != nil {
		return err
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: f.keys[1]}},
		MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768},
		SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true, InsecureSkipVerify: true}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		return err
	}
	f.conns[0] = tls.Client(a, cfg)
	b, err := ln.Accept()
	if err != nil {
		return err
	}
	f.conns[1] = tls.Server(b, cfg)
	f.running.Go(func() { f.conns[1].Handshake() })
	return f.conns[0].Handshake()
}

func (f *floor) stop() {
	f.end(errors.New("bench: the floor was stopped"))
	for _, c := range f.conns {
		if c != nil {
			c.NetConn().Close()
		}
	}
	f.running.Wait()
	for _, x := range f.files {
		if x != nil {
			x.Close()
			os.Remove(x.Name())
		}
	}
}

func (f *floor) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil {
		f.failed = err
		close(f.ended)
	}
}

func (f *floor) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// read hands on what one end's connection brings, so that it can gather while
// the end waits for its disk.
func (f *floor) read(i int) {
	r := bufio.NewReaderSize(f.conns[i], 64<<10)
	for {
		b, err := frame.ReadStream(r, frame.MaxFrame)
		if err != nil {
			f.end(err)
			return
		}
		select {
		case f.frames[i] <- b:
		case <-f.ended:
			return
		}
	}
}

// store appends and fsyncs.
func (f *floor) store(i int, b []byte) error {
	if _, err := f.files[i].Write(b); err != nil {
		return err
	}
	return f.files[i].Sync()
}

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
