package witness

import (
	"bytes"
	"crypto/ed25519"

	"parley"
	"parley/journal"
)

// Channel is a Parley channel that a witness serves.
type Channel struct {
	Charter *parley.SignedCharter
	Keys    []*journal.Announced // every ROOTKEYS known
}

// channel is a Channel, or a charter alone, ready for questions.
type channel struct {
	Channel
	charter *parley.Charter
}

// Accept adds a channel by its charter alone, also while the witness runs.
func (s *Server) Accept(c *parley.Charter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[c.Channel()] = &channel{charter: c}
}

// AcceptChannel adds a channel, or replaces it when more ROOTKEYS are known,
// also while the witness runs. It verifies the ROOTKEYS.
func (s *Server) AcceptChannel(c Channel) error {
	charter, err := parley.ParseCharter(c.Charter.Charter)
	if err != nil {
		return err
	}
	ring := journal.NewKeyring(charter, c.Charter.Channel())
	for _, a := range c.Keys {
		if err := ring.Announce(a); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[c.Charter.Channel()] = &channel{c, charter}
	return nil
}

// keys are the log keys under which a log of the channel may stand: the one
// with which a root started its generation, else any that the charter or a
// root vouches for.
func (c *channel) keys(id parley.LogID) [][]byte {
	m := c.charter.Member(id.Party)
	if m == nil {
		return nil
	}
	keys := [][]byte{m.Keys.LogEd}
	for _, a := range c.Keys {
		if a.Party != id.Party {
			continue
		}
		if a.Gen == id.Gen {
			return [][]byte{a.Keys.Keys.LogEd}
		}
		keys = append(keys, a.Keys.Keys.LogEd)
	}
	return keys
}

// logKeys are the keys that may sign heads of the log; none if it is unknown.
func (s *Server) logKeys(origin string) []LogKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := s.keys[origin]
	id, err := parley.ParseOrigin(origin)
	if err != nil || s.channels[id.Channel] == nil {
		return keys
	}
	own := s.channels[id.Channel].keys(id)
	if s.cfg.RootKeys != nil && own != nil {
		if named := s.cfg.RootKeys(id); len(named) > 0 {
			own = named
		}
	}
	for _, k := range own {
		keys = append(keys[:len(keys):len(keys)], LogKey{Origin: origin, Key: ed25519.PublicKey(k)})
	}
	return keys
}

// forkFile is the proof file of a fork in a Parley log: two heads of one size,
// with the signed charter around them. It is nil for other logs and for
// channels that are known by a charter without signatures.
func (s *Server) forkFile(origin string, held, shown []byte) ([]byte, error) {
	id, err := parley.ParseOrigin(origin)
	if err != nil {
		return nil, nil
	}
	s.mu.Lock()
	ch := s.channels[id.Channel]
	s.mu.Unlock()
	if ch == nil || ch.Charter == nil {
		return nil, nil
	}
	var heads [2]journal.SignedHead
	for i, note := range [][]byte{held, shown} {
		for _, key := range ch.keys(id) {
			if h, ok := signedHead(id, key, note); ok {
				heads[i] = h
			}
		}
	}
	f, err := journal.ProveFork(heads[0], heads[1], nil)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := journal.WriteFork(&b, ch.Charter, ch.Keys, f); err != nil {
		return nil, err
	}
	// The file accuses a party: it leaves only if a stranger would accept it.
	if err := journal.VerifyFork(bytes.NewReader(b.Bytes()), journal.Verify{}, func(journal.Finding) {}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// signedHead finds the author's signature under key in a checkpoint.
func signedHead(id parley.LogID, key []byte, note []byte) (h journal.SignedHead, ok bool) {
	c, err := journal.ParseCheckpoint(note)
	if err != nil {
		return h, false
	}
	for _, l := range c.Lines {
		if l.IsHead(c.Origin, key) && journal.VerifyHead(key, c.Origin, c.Size, c.Root, l.Sig) {
			return journal.SignedHead{Log: id, Size: c.Size, Root: c.Root, Sig: l.Sig}, true
		}
	}
	return h, false
}
