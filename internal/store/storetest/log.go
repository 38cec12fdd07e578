package storetest

import (
	"fmt"

	"parley"
	"parley/journal"
)

// Log grows a log whose rows, hashes and heads fit together, as a station
// would write them. Its signatures are stand-ins of the right length; a store
// does not look into them.
type Log struct {
	ID   parley.LogID
	Tree journal.Tree
}

// NewLog starts the log of a party and lane; logs of different numbers differ.
func NewLog(n int) *Log {
	return &Log{ID: parley.LogID{
		Channel: parley.Hash{0xc0, byte(n >> 16)},
		Party:   parley.Party(1 + n%parley.MaxParty),
		Lane:    parley.Lane(n / parley.MaxParty % parley.Lanes),
		Gen:     parley.Gen{byte(n >> 8), byte(n), 0x9e},
	}}
}

// Next appends an entry of the given text, opened.
func (l *Log) Next(text string) journal.Row {
	r := l.Blind(text)
	c := content(r.Index, text)
	r.Content = &c
	return r
}

// Blind appends an entry of the given text that is not opened to this node.
func (l *Log) Blind(text string) journal.Row {
	index := l.Tree.Size()
	c := content(index, text)
	leaf := journal.Leaf{To: parley.Audience(index % 7 * 2), Commit: journal.Commit(l.ID.Origin(), index, c.Salt, c.Entry)}
	return journal.Row{
		Log: l.ID, Index: index, Leaf: leaf, Hashes: l.Tree.Append(leaf.Hash()),
		Sig: signature("row", index), Standing: parley.Standing(index % 4), Stored: 1_746_800_000_000 + index,
	}
}

// Opened is the content of the blind entry of the given text.
func (l *Log) Opened(index uint64, text string) journal.Opened {
	return journal.Opened{Log: l.ID, Index: index, Content: content(index, text), Standing: parley.DisputedCitation}
}

// Head is the log's head now.
func (l *Log) Head() journal.SignedHead {
	return journal.SignedHead{Log: l.ID, Size: l.Tree.Size(), Root: l.Tree.Root(), Sig: signature("head", l.Tree.Size())}
}

func content(index uint64, text string) journal.Content {
	return journal.Content{Salt: parley.Hash{0x5a, byte(index), byte(index >> 8)}, Entry: []byte(text)}
}

func signature(what string, n uint64) []byte {
	b := make([]byte, parley.SizeEdSig)
	copy(b, fmt.Sprintf("%s %d", what, n))
	return b
}
