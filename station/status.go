package station

import (
	"maps"

	"parley"
	"parley/journal"
)

// LogStatus is what the station knows of one log.
type LogStatus struct {
	Log       parley.LogID
	Head      parley.Head
	Signed    journal.SignedHead      // newest head with its author's signature
	Receipts  map[parley.Party]uint64 // greatest size receipted, by member
	Witness   map[string]uint64       // greatest size cosigned, by witness
	Witnessed uint64                  // greatest size cosigned by the charter's quorum
	Current   bool                    // of its author's current generation
	Forked    bool
	Closed    bool
	Held      int // leaves that wait for others before them
}

// Logs lists all logs, by party, lane and generation.
func (st *Station) Logs() []LogStatus {
	var out []LogStatus
	for _, l := range st.order {
		g := st.members[l.id.Party].current()
		out = append(out, LogStatus{Log: l.id, Head: l.cite(), Signed: l.head, Receipts: maps.Clone(l.rcpt),
			Witness: maps.Clone(l.witness), Witnessed: st.quorumSize(l), Current: g != nil && g.gen == l.id.Gen, Forked: l.forked, Closed: l.shut, Held: len(l.held)})
	}
	return out
}

// Received reports how far a member has receipted a log: it holds, and has
// opened what is addressed to it, up to that size.
func (st *Station) Received(log parley.LogID, by parley.Party) uint64 {
	if l := st.logs[place{log.Party, log.Lane, log.Gen}]; l != nil {
		return l.rcpt[by]
	}
	return 0
}

// LinkStatus is the state of the connections with one member.
type LinkStatus struct {
	Party   parley.Party
	Urgent  bool
	Bulk    bool
	Granted bool  // the member's key for receiving grants is known
	Skew    int64 // its clock against ours, seconds
	Dropped int   // frames and lines of no use since the start
}

// Links lists the other members, ascending.
func (st *Station) Links() []LinkStatus {
	var out []LinkStatus
	for _, m := range st.peers() {
		out = append(out, LinkStatus{m.Index, m.up[0], m.up[1], m.kem != nil, m.skew, m.dropped})
	}
	return out
}

// Gen is the current own generation, zero before the first.
func (st *Station) Gen() parley.Gen { return st.gen }

// Pins are the TLS keys by which a member may identify itself.
func (st *Station) Pins(p parley.Party) [][]byte {
	if m := st.members[p]; m != nil {
		return m.newestKeys().TLS
	}
	return nil
}

// LogKey is the Ed25519 key of a log's generation, nil if it is not known.
func (st *Station) LogKey(id parley.LogID) []byte {
	if l := st.logs[place{id.Party, id.Lane, id.Gen}]; l != nil {
		return st.logKey(l)
	}
	return nil
}

// Missing counts the entries that members said to hold and this node does not.
func (st *Station) Missing() uint64 {
	most := map[*log]uint64{}
	for _, m := range st.peers() {
		for l, h := range m.theirs {
			most[l] = max(most[l], h.Size)
		}
	}
	var n uint64
	for l, size := range most {
		if size > l.size() && !l.forked {
			n += size - l.size()
		}
	}
	return n
}

// Compared reports whether every other member has said what it holds.
func (st *Station) Compared() bool {
	for _, m := range st.peers() {
		if !m.have {
			return false
		}
	}
	return true
}
