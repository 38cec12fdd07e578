package bench

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
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
