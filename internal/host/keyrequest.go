package host

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/seal"
)

// KeyRequest asks a root to put new node keys in force. It is public, and so is
// the answer: they may travel on a stick between the node and the machine with
// the root. What is signed is bound to one channel, member and generation.
type KeyRequest struct {
	Name    string
	Addr    string // of the card
	Channel parley.Hash
	Member  parley.Party
	Why     string
	Gen     parley.Gen
	Keys    *parley.Keys
}

const (
	requestMagic = "parley key request 1"
	answerMagic  = "parley key answer 1"
)

// Encode is the request's form: lines of text that somebody can read.
func (r *KeyRequest) Encode() []byte {
	return fmt.Appendf(nil, "%s\nparty %s\naddress %s\nchannel %s\nmember %d\nwhy %s\ngeneration %s\nkeys %s\n", requestMagic, r.Name, r.Addr, r.Channel, r.Member,
		r.Why, r.Gen, base64.StdEncoding.EncodeToString(parley.AppendKeys(nil, r.Keys)))
}

// Words are the request's name for people, to compare on both machines.
func (r *KeyRequest) Words() string {
	h := sha256.Sum256(append([]byte("parley/key-request/1\n"), r.Encode()...))
	return seal.Words(h[:])
}

// fields reads "word value" lines after a first line, all of them and in order.
func fields(b []byte, magic string, names ...string) ([]string, bool) {
	lines := strings.Split(string(b), "\n")
	if len(b) > 64<<10 || len(lines) != len(names)+2 || lines[0] != magic || lines[len(lines)-1] != "" {
		return nil, false
	}
	values := make([]string, len(names))
	for i, name := range names {
		var found bool
		if values[i], found = strings.CutPrefix(lines[i+1], name+" "); !found {
			return nil, false
		}
	}
	return values, true
}

func parsePlace(channel, member, gen string) (ch parley.Hash, p parley.Party, g parley.Gen, ok bool) {
	c, err1 := hex.DecodeString(channel)
	n, err2 := strconv.ParseUint(member, 10, 8)
	x, err3 := hex.DecodeString(gen)
	if err1 != nil || err2 != nil || err3 != nil || len(c) != len(ch) || len(x) != len(g) {
		return ch, p, g, false
	}
	return parley.Hash(c), parley.Party(n), parley.Gen(x), true
}

// ParseKeyRequest reads a request.
func ParseKeyRequest(b []byte) (*KeyRequest, error) {
	bad := parley.Errorf(CodeRequest, "this is no request for node keys, or it is damaged")
	f, ok := fields(b, requestMagic, "party", "address", "channel", "member", "why", "generation", "keys")
	if !ok {
		return nil, bad
	}
	r := &KeyRequest{Name: f[0], Addr: f[1], Why: f[4]}
	if r.Channel, r.Member, r.Gen, ok = parsePlace(f[2], f[3], f[5]); !ok {
		return nil, bad
	}
	k, err := base64.StdEncoding.DecodeString(f[6])
	if err != nil {
		return nil, bad
	}
	d := parley.NewDecoder(k, 3)
	if r.Keys = d.Keys(); d.End() != nil || string(r.Encode()) != string(b) {
		return nil, bad
	}
	return r, parley.CheckName(r.Name)
}

// Request makes new node keys in dir and the request for them. The same request
// comes again as long as it waits and its reason is the same; with another
// reason a new one takes its place. Without a node.key the reason is WhyLost.
func Request(dir, why string, now time.Time) (*KeyRequest, error) {
	signed, charter, me, err := LoadCharter(dir)
	if err != nil {
		return nil, err
	}
	card, err := LoadCard(dir)
	if err != nil {
		return nil, err
	}
	if err := settleFiles(dir, charter, me); err != nil {
		return nil, err
	}
	_, seeds, err := nodeSeeds(dir)
	if err != nil {
		return nil, err
	}
	if seeds == nil {
		why = WhyLost
	} else if why == WhyLost {
		return nil, parley.Errorf(CodeExists, "%s has a %s; keys that somebody else may have are %q", dir, fileNode, WhyStolen)
	}
	k, err := loadNext(dir)
	if err != nil {
		return nil, err
	}
	if k == nil || k.why != why {
		var data []byte
		if k != nil {
			data = k.seeds[seedData:]
		}
		if k, err = drawNext(dir, why, now); err != nil {
			return nil, err
		}
		if seeds == nil && data != nil {
			copy(k.seeds[seedData:], data)
		}
		if err := write(filepath.Join(dir, fileNext), k.encode(), 0o600, true); err != nil {
			return nil, err
		}
	}
	return &KeyRequest{Name: card.Name, Addr: card.Addr, Channel: signed.Channel(), Member: me, Why: why, Gen: k.gen,
		Keys: k.node.Public(card.RootEd, card.RootPQ)}, nil
}

// KeyAnswer is the root's word for a request, with the card that has the new
// keys: a later charter takes them from it.
type KeyAnswer struct {
	Channel  parley.Hash
	Member   parley.Party
	Gen      parley.Gen
	RootKeys *parley.RootKeys
	Card     *seal.Card
}

// SignRequest is the root's answer. The root must be the one to which the
// request's keys are bound.
func SignRequest(root *seal.Root, r *KeyRequest) (*KeyAnswer, error) {
	if err := r.Keys.Check(parley.RootID(root.EdPublic(), root.PQPublic())); err != nil {
		return nil, parley.Errorf(CodeRequest, "this root is not the one of %s, or the request is damaged: %w", r.Name, err)
	}
	card, err := seal.SignCard(r.Name, r.Addr, root, r.Keys)
	if err != nil {
		return nil, err
	}
	return &KeyAnswer{r.Channel, r.Member, r.Gen, root.SignKeys(r.Channel, r.Member, r.Gen, r.Keys), card}, nil
}

// Encode is the answer's form.
func (a *KeyAnswer) Encode() []byte {
	return fmt.Appendf(nil, "%s\nchannel %s\nmember %d\ngeneration %s\nrootkeys %s\ncard %s\n", answerMagic, a.Channel, a.Member, a.Gen,
		base64.StdEncoding.EncodeToString(parley.AppendRootKeys(nil, a.RootKeys)), base64.StdEncoding.EncodeToString(a.Card.Encode()))
}

// ParseKeyAnswer reads an answer.
func ParseKeyAnswer(b []byte) (*KeyAnswer, error) {
	bad := parley.Errorf(CodeAnswer, "this is no answer of a root, or it is damaged")
	f, ok := fields(b, answerMagic, "channel", "member", "generation", "rootkeys", "card")
	if !ok {
		return nil, bad
	}
	a := &KeyAnswer{}
	if a.Channel, a.Member, a.Gen, ok = parsePlace(f[0], f[1], f[2]); !ok {
		return nil, bad
	}
	k, err := base64.StdEncoding.DecodeString(f[3])
	if err != nil {
		return nil, bad
	}
	d := parley.NewDecoder(k, 4)
	if a.RootKeys = d.RootKeys(); d.End() != nil {
		return nil, bad
	}
	c, err := base64.StdEncoding.DecodeString(f[4])
	if err != nil {
		return nil, bad
	}
	if a.Card, err = seal.ParseCard(c); err != nil || string(a.Encode()) != string(b) {
		return nil, bad
	}
	return a, nil
}

// answered finds the keys in dir that an answer puts in force, and lays their
// card ready.
func answered(dir string, a *KeyAnswer) (*nextKey, error) {
	signed, charter, me, err := LoadCharter(dir)
	if err != nil {
		return nil, err
	}
	k, err := loadNext(dir)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, parley.Errorf(CodeNoRequest, "no request waits in %s", dir)
	}
	if a.Channel != signed.Channel() || a.Member != me {
		return nil, parley.Errorf(CodeAnswer, "the answer is for another party or channel")
	}
	card, err := LoadCard(dir)
	if err != nil {
		return nil, err
	}
	if a.Gen != k.gen {
		return nil, parley.Errorf(CodeAnswer, "the answer is for an older request")
	}
	// All of them: somebody may have put a key of his own into the request.
	own := parley.AppendKeys(nil, k.node.Public(card.RootEd, card.RootPQ))
	if string(parley.AppendKeys(nil, a.RootKeys.Keys)) != string(own) {
		return nil, parley.Errorf(CodeAnswer, "the answer is for other keys than this node made; the request was changed on its way")
	}
	if err := a.RootKeys.Verify(a.Channel, charter.Member(me), a.Gen); err != nil {
		return nil, parley.Errorf(CodeAnswer, "%w", err)
	}
	if want := (&seal.Card{Name: card.Name, RootEd: card.RootEd, RootPQ: card.RootPQ, Keys: a.RootKeys.Keys, Addr: card.Addr, Sig: a.Card.Sig}); string(want.Encode()) != string(a.Card.Encode()) {
		return nil, parley.Errorf(CodeAnswer, "the card in the answer is not this party's with its new keys")
	}
	return k, write(filepath.Join(dir, fileNextCard), a.Card.Encode(), 0o644, true)
}

// Waits reports whether keys in dir wait for the root, and why they were made.
func Waits(dir string) (why string, waits bool, err error) {
	k, err := loadNext(dir)
	if k == nil || err != nil {
		return "", false, err
	}
	return k.why, true, nil
}

// Withdraw removes keys that wait for the root: an answer to their request is
// void then. Keys that are in force are never touched.
func Withdraw(dir string) error {
	_, charter, me, err := LoadCharter(dir)
	if err != nil {
		return err
	}
	if err := settleFiles(dir, charter, me); err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(dir, fileNode)); err != nil {
		return parley.Errorf(CodeKeysLost, "the waiting keys are the only ones in %s", dir)
	}
	if err := os.Remove(filepath.Join(dir, fileNext)); err != nil {
		return parley.Errorf(CodeNoRequest, "no request waits in %s", dir)
	}
	return nil
}
