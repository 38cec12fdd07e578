package station

import "parley"

// Codes of the station.
const (
	CodeStarting parley.Code = "not-ready"
	CodeClosed   parley.Code = "lane-closed"
	CodeForked   parley.Code = "lane-forked"
	CodeMember   parley.Code = "not-a-member"
	CodeRoot     parley.Code = "needs-root"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeStarting: "The node is still comparing its record with its peers. Wait ten seconds and try again.",
	CodeClosed:   "This channel is closed; its members agreed on a successor. Write in the successor.",
	CodeForked:   "Two histories were signed in this lane under this party's key. Use another lane, secure the keys, and start a generation with the root.",
	CodeMember:   "This node's keys do not belong to a member of the channel. Check that the directory and the charter fit together.",
	CodeRoot:     "The root must confirm this. Take the root key file and follow the procedure for new keys.",
})
