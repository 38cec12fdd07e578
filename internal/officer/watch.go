package officer

import (
	"parley"
)

// Watch is who has the watch.
func (b *Book) Watch() Watch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.state.watches); n > 0 {
		return b.watch(b.state.watches[n-1])
	}
	return Watch{}
}

func (b *Book) watch(w Watch) Watch {
	if p := b.state.officers[w.Officer]; p != nil {
		w.Name, w.Title = p.Name, p.Title
	}
	return w
}

// WatchHistory lists the last n, newest first.
func (b *Book) WatchHistory(n int) (list []Watch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.state.watches) - 1; i >= 0 && len(list) < n; i-- {
		list = append(list, b.watch(b.state.watches[i]))
	}
	return list
}

// TakeWatch takes the watch. Without the holder's offer it needs a note that
// says why; from is the officer who has it as the page showed, 0 for nobody.
func (b *Book) TakeWatch(s *Session, from ID, note string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, TakeWatch, Object{}); err != nil {
		return err
	}
	var now Watch
	if n := len(b.state.watches); n > 0 {
		now = b.state.watches[n-1]
	}
	switch {
	case now.Officer != from:
		return parley.Errorf(CodeWatch, "officer %d has the watch by now", now.Officer)
	case now.Officer == s.Officer:
		return parley.Errorf(CodeWatch, "this officer has the watch already")
	case now.Officer != 0 && now.Offered.IsZero() && note == "":
		return parley.Errorf(CodeReason, "the watch was not offered; say why it is taken")
	}
	return b.commit(b.batch(s).add("watch", &watchEvent{name: ActWatch, Note: clip(note, 2000)}))
}

// OfferWatch leaves a hand-over note. Its holder keeps the watch until another
// takes it.
func (b *Book) OfferWatch(s *Session, note string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, TakeWatch, Object{}); err != nil {
		return err
	}
	if n := len(b.state.watches); n == 0 || b.state.watches[n-1].Officer != s.Officer {
		return parley.Errorf(CodeWatch, "this officer does not have the watch")
	}
	if note == "" {
		return parley.Errorf(CodeReason, "a hand-over has a note")
	}
	return b.commit(b.batch(s).add("watch", &watchEvent{name: ActHanding, Note: clip(note, 2000)}))
}
