package officer

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"time"

	"parley"
	"parley/journal"
	"parley/release"
)

// Standing is what officers should know at a glance.
func (b *Book) Standing() Standing {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.cfg.Now()
	s := Standing{TwoPersons: b.twoAble(), Reason: b.whyNotTwo(), RosterDue: b.rosterDue()}
	for _, p := range b.state.officers {
		if p.State == Active && len(p.creds) > 0 {
			s.Officers++
		}
	}
	for _, w := range slices.Backward(b.state.warnings) {
		if now.Sub(w.Time) < 3*24*time.Hour && len(s.Warnings) < 20 {
			s.Warnings = append(s.Warnings, w)
		}
	}
	return s
}

// Glance is what every page shows of the book, at little cost.
type Glance struct {
	Awaiting int // drafts that were submitted
	Watch    Watch
	News     int // recoveries and rules that wait, and passkeys of the last day that may be copied
}

// Glance is made without looking into any draft.
func (b *Book) Glance() (g Glance) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.state.drafts {
		if d.State == Submitted {
			g.Awaiting++
		}
	}
	if n := len(b.state.watches); n > 0 {
		g.Watch = b.watch(b.state.watches[n-1])
	}
	g.News = len(b.state.recover)
	if b.state.proposed != nil {
		g.News++
	}
	now := b.cfg.Now()
	for _, w := range b.state.warnings {
		if w.Act == ActCloned && now.Sub(w.Time) < 24*time.Hour {
			g.News++
		}
	}
	return g
}

// Note enters what the console did or refused: an export, a print. An export
// counts against the session's limit.
func (b *Book) Note(s *Session, object, detail string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s != nil {
		if err := b.alive(s.Hash); err != nil {
			return err
		}
	}
	return b.commit(b.batch(s).add(clip(object, 64), &refusal{name: ActNote, Why: clip(detail, 512)}))
}

// AllowExport asks whether the session may export something now, and enters
// that it did.
func (b *Book) AllowExport(s *Session, what string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, Export, Object{}); err != nil {
		return err
	}
	if err := b.limits.allow(perExport, "export", s.Officer.String(), b.cfg.Now()); err != nil {
		return err
	}
	return b.commit(b.batch(s).add("export", &refusal{name: ActNote, Why: clip(what, 512)}))
}

// Audit lists n entries before the index from (0: from the end), newest first,
// and how many there are.
func (b *Book) Audit(s *Session, from uint64, n int) (rs []Record, size uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, SeeAudit, Object{}); err != nil {
		return nil, 0, err
	}
	size = b.tree.Size()
	if from == 0 || from > size {
		from = size
	}
	for i := from; i > 0 && len(rs) < n; i-- {
		r, err := b.record(i - 1)
		if err != nil {
			return nil, 0, err
		}
		rs = append(rs, *r)
	}
	return rs, size, nil
}

func (b *Book) record(index uint64) (*Record, error) {
	data, err := b.read(index)
	if err != nil {
		return nil, err
	}
	r, err := recordOf(index, data)
	if err != nil {
		return nil, err
	}
	r.Name = b.state.name(r.Actor)
	return r, nil
}

// recordOf reads an encoded entry for people.
func recordOf(index uint64, data []byte) (*Record, error) {
	var e entry
	if err := decode(data, &e); err != nil {
		return nil, err
	}
	r := &Record{Index: index, Time: e.Time, Act: e.Act, Actor: e.Actor, Object: e.Object, Leaf: leaf(data)}
	if e.Session != (parley.Hash{}) {
		r.Session = e.Session.Short()
	}
	if e.Key != (release.ID{}) {
		r.Key = e.Key.Short()
	}
	if make := events[e.Act]; make != nil {
		ev := make()
		if err := decode(e.Data, ev); err != nil {
			return nil, err
		}
		if d, ok := ev.(interface{ detail() string }); ok {
			r.Detail = d.detail()
		}
	}
	return r, nil
}

// Proof shows that an entry stands in the journal under a head that the book's
// key signed.
type Proof struct {
	Index uint64
	Entry []byte
	Path  []parley.Hash
	Head  []byte // C2SP checkpoint
	Key   []byte // Ed25519; compare it with one learnt before
}

// Prove makes the proof of an entry under the head of now.
func (b *Book) Prove(s *Session, index uint64) (*Proof, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, SeeAudit, Object{}); err != nil {
		return nil, err
	}
	if index >= b.tree.Size() {
		return nil, parley.Errorf(CodeProof, "there is no entry %d", index)
	}
	data, err := b.read(index)
	if err != nil {
		return nil, err
	}
	path, err := journal.ProveInclusion(index, b.tree.Size(), b.hashReader())
	if err != nil {
		return nil, parley.Errorf(CodeProof, "%w", err)
	}
	return &Proof{Index: index, Entry: data, Path: path, Head: b.note(), Key: slices.Clone(b.public())}, nil
}

// Check is nil if the entry stands in the journal that the key signed. It
// needs no book.
func (p *Proof) Check() (*Record, error) {
	cp, err := journal.ParseCheckpoint(p.Head)
	if err != nil {
		return nil, parley.Errorf(CodeProof, "the head cannot be read: %w", err)
	}
	if len(p.Key) != ed25519.PublicKeySize || len(cp.Lines) != 1 || !strings.HasPrefix(cp.Origin, "parley-officers/") ||
		!cp.Lines[0].IsHead(cp.Origin, p.Key) || !journal.VerifyHead(p.Key, cp.Origin, cp.Size, cp.Root, cp.Lines[0].Sig) {
		return nil, parley.Errorf(CodeProof, "the key did not sign this head")
	}
	if err := journal.CheckInclusion(p.Path, p.Index, leaf(p.Entry), cp.Size, cp.Root); err != nil {
		return nil, parley.Errorf(CodeProof, "%w", err)
	}
	return recordOf(p.Index, p.Entry)
}
