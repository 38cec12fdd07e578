package host

import (
	"crypto/ed25519"
	"errors"
	"hash"

	"parley"
	"parley/journal"
	"parley/seal"
)

// backupMessage is what a node's receipt key signs of a backup: the channel,
// and the hash of every section before the signature.
func backupMessage(ch parley.Hash, sum hash.Hash) []byte {
	return sum.Sum(append([]byte("parley/backup-sum/1\n"), ch[:]...))
}

// vouched refuses a backup that no node of its party made: its record would
// pass every check of signatures and still say, in what no author has signed
// yet and in the node's own notes, whatever its maker likes.
//
// The keys are the charter's and those that the root announced in the record. A
// thief of older node keys can make one that leaves later announcements out.
func (u *unpacker) vouched(c *parley.Charter) error {
	card, err := seal.ParseCard(u.head.Card)
	if err != nil {
		return u.r.damaged(err)
	}
	m := c.Member(u.head.Member)
	if m == nil || string(m.RootEd) != string(card.RootEd) {
		return u.r.damaged(errors.New("its card is not its party's"))
	}
	keys := [][]byte{m.Keys.RcptEd}
	announced, err := journal.FindRootKeys(readable{u.s}, c, u.ch)
	if err != nil {
		return err
	}
	for _, a := range announced {
		if a.Party == m.Index {
			keys = append(keys, a.Keys.Keys.RcptEd)
		}
	}
	msg := backupMessage(u.ch, u.r.sum)
	for _, k := range keys {
		if len(u.sig) == ed25519.SignatureSize && ed25519.Verify(k, msg, u.sig) {
			return nil
		}
	}
	return u.r.damaged(errors.New("no node of " + m.Name + " made it"))
}
