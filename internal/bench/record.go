package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/store"
	"parley/journal"
	"parley/seal"
)

// writer is a party writing one log of a record without a station.
type writer struct {
	log        parley.LogID
	tree       journal.Tree
	batch      *journal.Batch
	own, other *seal.Node
	by         string // the other's name on receipts
}

// recordTime is when made records begin.
const recordTime = 1_746_867_600

func (ch *channel) writer(i int, b *journal.Batch) *writer {
	w := &writer{batch: b, own: ch.keys[i], other: ch.keys[1-i],
		log: parley.LogID{Channel: ch.signed.Channel(), Party: parley.Party(i + 1), Lane: parley.Routine},
		by:  journal.ReceiptName(ch.signed.Channel(), parley.Party(2-i))}
	rand.Read(w.log.Gen[:])
	w.add(&parley.Entry{Kind: parley.KindGeneration, Time: recordTime, Body: (&parley.Generation{Reason: parley.ReasonFirst}).Encode()})
	return w
}

func (w *writer) add(e *parley.Entry) {
	c := &journal.Content{Entry: e.Encode()}
	rand.Read(c.Salt[:])
	i := w.tree.Size()
	leaf := journal.Leaf{To: e.To, Commit: journal.Commit(w.log.Origin(), i, c.Salt, c.Entry)}
	w.batch.Rows = append(w.batch.Rows, journal.Row{Log: w.log, Index: i, Leaf: leaf,
		Hashes: w.tree.Append(leaf.Hash()), Content: c, Stored: e.Time * 1000})
}

// say appends a message that cites the other's newest head.
func (w *writer) say(i int, other *writer) {
	e := hotline.Draft(message(i), w.log.Lane, parley.ToAll).Entry(time.Unix(int64(recordTime+i), 0),
		[]parley.Head{{Party: other.log.Party, Lane: other.log.Lane, Gen: other.log.Gen, Size: other.tree.Size(), Root: other.tree.Root()}})
	w.add(e)
}

func (w *writer) receipt(i int) {
	w.batch.Cosigs = append(w.batch.Cosigs, journal.Cosig{Log: w.log, Size: w.tree.Size(), Name: w.by,
		Cosignature: journal.Cosign(w.other.Rcpt.Ed, uint64(recordTime+i), w.log.Origin(), w.tree.Size(), w.tree.Root())})
}

func (w *writer) head() {
	root := w.tree.Root()
	w.batch.Heads = append(w.batch.Heads, journal.SignedHead{Log: w.log, Size: w.tree.Size(), Root: root,
		Sig: journal.SignHead(w.own.Log.Ed, w.log.Origin(), w.tree.Size(), root)})
}

// record makes the first party's record in dir: n entries of the two in turns,
// each citing the other's newest head, and a receipt after every so many.
func (ch *channel) record(ctx context.Context, dir string, n, every int, progress func(string, int, int)) (_ *store.SQLite, err error) {
	s, err := store.Open(filepath.Join(dir, "record.db"), store.Options{DataKey: ch.keys[0].Data})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	var b journal.Batch
	ws := [2]*writer{ch.writer(0, &b), ch.writer(1, &b)}
	b.Puts = append(b.Puts, journal.Put{Space: "self", Key: "gen", Value: ws[0].log.Gen[:]})
	const most = 4096
	for i := 0; i < n-2; i++ {
		w := ws[i%2]
		w.say(i, ws[1-i%2])
		if i/2%every == every-1 {
			w.receipt(i)
		}
		if i%most == most-1 {
			progress("making a record", i, n)
			if err := s.Commit(&b); err != nil {
				return nil, err
			}
			b = journal.Batch{}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	for _, w := range ws {
		w.head()
		w.receipt(n)
	}
	if err := s.Commit(&b); err != nil {
		return nil, err
	}
	mark, _, err := store.OpenHighWater(filepath.Join(dir, "highwater"))
	if err != nil {
		return nil, err
	}
	m := store.Mark{Gen: ws[0].log.Gen}
	m.Sizes[parley.Routine] = ws[0].tree.Size()
	if err = mark.Set(m); err == nil {
		err = mark.Close()
	}
	return s, err
}

// verification measures what a stranger's check of a record takes.
func verification(ctx context.Context, ch *channel, o *Options, r *Result) (err error) {
	r.VerifyEntries = o.VerifyEntries
	if r.Verify, r.VerifyFloor, err = ch.verify(ctx, "record", o.VerifyEntries, 100, o.Progress); err != nil {
		return err
	}
	r.VerifyReceipted, _, err = ch.verify(ctx, "receipted", max(o.VerifyEntries/10, 16), 1, o.Progress)
	return err
}

// verify makes a record, exports it, and verifies the file three times. It
// gives the median rate, and that of SHA-256 over the file.
func (ch *channel) verify(ctx context.Context, name string, n, every int, progress func(string, int, int)) (rate, floor float64, err error) {
	dir, err := ch.copyParty(0, name)
	if err != nil {
		return 0, 0, err
	}
	s, err := ch.record(ctx, dir, n, every, progress)
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	file := filepath.Join(dir, "record.parley")
	if err := ch.export(s, file); err != nil {
		return 0, 0, err
	}
	const runs = 3
	var rates, floors []float64
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		progress("verifying", i, runs)
		for _, x := range []struct {
			read func(io.Reader) error
			to   *[]float64
		}{{verifyFile, &rates}, {hashFile, &floors}} {
			f, err := os.Open(file)
			if err != nil {
				return 0, 0, err
			}
			start := time.Now()
			err = x.read(f)
			f.Close()
			if err != nil {
				return 0, 0, err
			}
			*x.to = append(*x.to, float64(n)/time.Since(start).Seconds())
		}
	}
	return median(rates), median(floors), nil
}

func (ch *channel) export(s *store.SQLite, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = journal.WriteRecord(w, &journal.Export{Charter: ch.signed, Store: s, Exporter: 1, Key: ch.keys[0].Rcpt.Ed, Time: recordTime})
	if err == nil {
		err = w.Flush()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func hashFile(r io.Reader) error {
	_, err := io.Copy(sha256.New(), r)
	return err
}

// verifyFile does what parley-verify does.
func verifyFile(r io.Reader) error {
	return journal.VerifyRecord(bufio.NewReader(r), journal.Verify{Now: uint64(time.Now().Unix()), Run: parallel}, func(journal.Finding) {})
}

// parallel runs jobs on all processors.
func parallel(jobs []func()) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(jobs)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(jobs); i = int(next.Add(1)) - 1 {
				jobs[i]()
			}
		})
	}
	wg.Wait()
}
