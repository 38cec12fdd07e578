package host

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/store/storetest"
)

// Whichever bit of the record flips: fsck names it and the repair makes the
// record equal to what it was, or nothing that can be read is changed by it.
// Bits that no flip may go unnoticed in are told from the layout of the file,
// not from what fsck finds.
//
// The large dose, all bits of a record with every kind of row, one of each byte
// also repaired, one of eight of those from the copies alone:
//
//	GOGC=400 PARLEY_ROT=1 PARLEY_ROT_REPAIR=8 go test ./internal/host -run TestEveryBitOfTheRecord -v -timeout 0
//
// Every record is another one. That of a run that failed is kept and named; to
// flip its bits again: PARLEY_ROT_RECORD=DIR, and PARLEY_ROT_BITS=FROM-TO, in
// bytes, for some of them.
func TestEveryBitOfTheRecord(t *testing.T) {
	long(t)
	f := newFlipper(t)
	f.began = time.Now()
	bits := f.bits()
	said := f.began
	for i := range inPasses(len(bits), rot(9973)) {
		if time.Since(said) > 30*time.Second {
			said = time.Now()
			t.Logf("%s: of %d bits in use %s", said.Sub(f.began).Round(time.Second), len(bits), f)
		}
		if f.try(bits[i]); f.wrong == 100 {
			break
		}
	}
	t.Logf("%d bytes with %d things to read, in %s: %s", len(f.sound), len(f.want), time.Since(f.began).Round(time.Second), f)
	if f.named == 0 || f.repaired == 0 || f.exact == 0 && f.named > 64*8*rotRepair() {
		t.Error("nothing was named, or nothing repaired; the test proves nothing")
	}
}

// inPasses counts in steps to n, through all in many passes if the step is
// small: where a long run is stopped it has been everywhere.
func inPasses(n, step int) iter.Seq[int] {
	const passes = 61
	return func(yield func(int) bool) {
		for pass := range passes {
			for i := pass * step * 19 % (passes * step); i < n; i += passes * step {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// bits lists those to flip: all that are in use, and a share of the others,
// which shows that they are not.
func (f *flipper) bits() (bits []int) {
	f.unused = storetest.UsedBits(f.sound)
	from, to := 0, len(f.sound)
	if v := os.Getenv("PARLEY_ROT_BITS"); v != "" {
		if _, err := fmt.Sscanf(v, "%d-%d", &from, &to); err != nil {
			f.t.Fatalf("PARLEY_ROT_BITS: %v", err)
		}
	}
	for bit := 8 * from; bit < 8*to; bit++ {
		if f.unused[bit] == "" || bit/8%61 == 0 {
			bits = append(bits, bit)
		}
	}
	return bits
}

// try flips one bit and puts it back.
func (f *flipper) try(bit int) {
	f.flips++
	f.flip(bit)
	repaired := share(bit, rotRepair()) && f.repair(bit, false) // which looks first
	if !repaired {
		f.flip(bit)
	}
	if !repaired && len(f.findings()) == 0 {
		got, err := f.read()
		if err != nil || !maps.Equal(got, f.want) {
			f.errorf(bit, "changes what is read and is not named (%v)", err)
		}
		if f.unused[bit] == "" {
			f.errorf(bit, "is in use, and its flipping is not named")
		}
		f.harmless[f.unused[bit]]++
		f.unflip(bit)
		return
	}
	f.named++
	if share(bit, 8*rotRepair()) {
		if repaired {
			f.flip(bit)
		}
		if f.opens() != nil {
			f.refused++
		}
		f.put(f.sound) // a start may have written
		f.flip(bit)
		f.repair(bit, true)
		repaired = true
	}
	if !repaired {
		f.unflip(bit)
	}
}

// share takes one bit of n: with 8 another one of each byte.
func share(bit, n int) bool { return (bit/8+bit)%n == 0 }

// rotRepair is how many bits there are for one whose flipping is also repaired,
// which takes ten times as long. PARLEY_ROT_REPAIR changes it; 1 repairs all.
func rotRepair() int {
	if v, err := strconv.Atoi(os.Getenv("PARLEY_ROT_REPAIR")); err == nil && v > 0 {
		return v
	}
	return 1
}

// repair puts the record right and compares it with what it was: it is equal,
// and nothing is missed.
//
// With exact no bit is put right by checksum, as after the loss of a sector:
// what is damaged comes from the copies. Everything that anybody signed is then
// equal; what only this party had (a time of arrival, its keys) may be lost, and
// the report says so.
//
// It reports false if the repair finds nothing wrong.
func (f *flipper) repair(bit int, exact bool) bool {
	defer f.put(f.sound)
	r, err := Repair(context.Background(), f.dir, RepairOptions{Offline: true, files: f.copies, trust: f.trust, exact: exact})
	if err != nil {
		f.errorf(bit, "exact %v: %v: %q", exact, err, f.findings())
		return true
	}
	if r.Sound {
		f.flip(bit)
		if said := f.findings(); len(said) > 0 {
			f.errorf(bit, "is named by %q, and not by the repair", said)
		}
		return false
	}
	defer os.Remove(r.Aside)
	got, err := f.read()
	if err != nil {
		f.errorf(bit, "exact %v: after the repair: %v", exact, err)
		return true
	}
	if exact {
		f.exact++
		f.compareExact(bit, r, got)
		return true
	}
	f.repaired++
	if maps.Equal(got, f.want) && len(r.Lost)+len(r.Texts)+len(r.Notes)+len(r.Doubt) == 0 {
		f.equal++
		return true
	}
	f.errorf(bit, "after the repair: %s; %+v", f.differences(got), *r)
	return true
}

// compareExact compares after a repair from the copies alone.
func (f *flipper) compareExact(bit int, r *RepairReport, got whole) {
	if len(r.Lost) > 0 {
		f.errorf(bit, "exact: lost %q", r.Lost)
	}
	for k, v := range f.want {
		if got[k] == v {
			continue
		}
		f.said++
		said := len(r.Notes)+len(r.Doubt) > 0
		switch what, _, _ := strings.Cut(k, " "); {
		case what == "value" && said, what == "cosig" && got[k] == "" && said: // the node heals it
		case what == "entry" && content(got[k]) == content(v) && len(r.Notes) > 0: // its time of arrival
		case what == "entry" && len(r.Texts) > 0:
		case what == "log" && len(r.Doubt) > 0: // the node signs its own newest head again
		default:
			f.errorf(bit, "exact: %s is %.600q and was %.600q; %+v", k, got[k], v, *r)
			return
		}
	}
	for k := range got {
		// A copy may have other cosignatures; doubt is noted in the record.
		if _, ok := f.want[k]; !ok && !strings.HasPrefix(k, "cosig ") && !(k == "value self "+keyStamp && len(r.Doubt) > 0) {
			f.errorf(bit, "exact: %s is new; %+v", k, *r)
		}
	}
}

// content is what everybody who holds an entry agrees on.
func content(entry string) string {
	c, _, _ := strings.Cut(entry, "|")
	return c
}

func (f *flipper) differences(got whole) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(f.want)) {
		if got[k] != f.want[k] {
			out = append(out, fmt.Sprintf("%s is %.300q and was %.300q", k, got[k], f.want[k]))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := f.want[k]; !ok {
			out = append(out, k+" is new")
		}
	}
	return strings.Join(out[:min(len(out), 3)], "; ")
}

func (f *flipper) errorf(bit int, format string, args ...any) {
	f.t.Helper()
	f.wrong++
	f.t.Errorf("bit %d of byte %d (page %d): %s", bit%8, bit/8, bit/8/4096+1, fmt.Sprintf(format, args...))
}

func (f *flipper) String() string {
	return fmt.Sprintf("%d flips, %d named, %v in unused room; %d repaired as fsck does, %d of them equal; %d repaired from the copies alone, with %d things that the report says differ; a start refuses %d of these",
		f.flips, f.named, f.harmless, f.repaired, f.equal, f.exact, f.said, f.refused)
}
