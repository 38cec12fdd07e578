package carrier

import "parley"

// Codes of the carrier. They reach the log, Config.Refused and Config.Down;
// the other end never learns them.
const (
	CodeTLS      parley.Code = "carrier-tls"
	CodeKey      parley.Code = "carrier-key"
	CodeHello    parley.Code = "carrier-hello"
	CodeVersion  parley.Code = "carrier-version"
	CodeChannel  parley.Code = "carrier-channel"
	CodeMember   parley.Code = "carrier-member"
	CodeRefused  parley.Code = "carrier-refused"
	CodeCrowded  parley.Code = "carrier-crowded"
	CodeStale    parley.Code = "carrier-stale"
	CodeTwice    parley.Code = "carrier-twice"
	CodeReplaced parley.Code = "carrier-replaced"
	CodeDial     parley.Code = "carrier-dial"
	CodeListen   parley.Code = "carrier-listen"
	CodeLost     parley.Code = "carrier-lost"
	CodeSilent   parley.Code = "carrier-silent"
	CodeOverflow parley.Code = "carrier-overflow"
	CodeStream   parley.Code = "carrier-stream"
	CodeStopped  parley.Code = "carrier-stopped"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeTLS:      "The secure connection could not be set up. The other end is no node of this version, or something between changes the traffic.",
	CodeKey:      "The other end has no key of this channel. If a member should be there, compare its key by voice; it may need a ROOTKEYS file. Otherwise nothing is needed.",
	CodeHello:    "The other end did not introduce itself as the protocol demands. Check the address; it may be another service or a stranger.",
	CodeVersion:  "The other end speaks another version. Both sides must run a version that speaks protocol 1.",
	CodeChannel:  "The other end is in another channel. Compare the channel's identifier with the member by voice; one side holds another charter.",
	CodeMember:   "The other end gives another member's number than its key has. Tell the member; its node is set up wrongly.",
	CodeRefused:  "The other end closed without a word. Its own log says why: ask the member to look.",
	CodeCrowded:  "Too many connections are waiting to be let in. If this lasts, have the network in front of the node looked at.",
	CodeStale:    "An older instance of a member was turned away. Nothing is needed if the member has just restarted or moved its node.",
	CodeTwice:    "A member seems to run twice with the same lease. Ask the member by voice which node is the right one, and to stop the other.",
	CodeReplaced: "The connection was replaced by another one with the same node. Nothing is needed.",
	CodeListen:   "This node cannot listen there. Check the address, and whether another program, perhaps this node itself, has it already.",
	CodeDial:     "The member's node could not be reached. It is tried again; check the address and the network if this lasts.",
	CodeLost:     "The connection was lost. It is set up again; nothing that was recorded is lost.",
	CodeSilent:   "The connection was silent too long and was closed. It is set up again.",
	CodeOverflow: "The other end takes frames too slowly. The connection was closed; when it is up again, what is missing is sent again.",
	CodeStream:   "The other end sent a length that no frame may have. Its node must be corrected.",
	CodeStopped:  "This node was stopped.",
})
