// Package carrier moves frames between the nodes of one channel over TLS.
//
// A Carrier keeps two connections with every peer, one urgent and one bulk, so
// that a large transfer never stands before a FLASH. It knows frames only as
// bytes, but for the HELLO that opens each stream. What it guarantees and what
// not:
//
//   - Only TLS 1.3, only X25519MLKEM768, only pinned Ed25519 keys. There is no
//     certificate authority, no session ticket, no resumption, no early data.
//   - Frames of one connection arrive whole and in order, or the connection
//     ends. Nothing is dropped silently: a full queue or a failed write closes
//     the connection, and the stations repair what was lost by exchanging HAVE
//     when it is up again. True from Send is no promise of arrival.
//   - A slow peer slows only itself: its queue is bounded, and a caller that
//     blocks in Config.Frame stops the reading of that one connection.
//   - Whoever cannot be let in is closed at the same point, in the same way,
//     whatever was wrong: after its first frame, without a byte of ours. The
//     reason stands in the local log and goes to Config.Refused.
//
// # Who dials
//
// Every node accepts, and every node may dial the peers whose address it
// knows. So that a pair does not dial twice at once, the member with the lower
// number dials immediately and the other only after Config.Patience without a
// connection; thus a pair meets even if only one of them can be reached, and
// whichever that is. If two connections of one kind meet all the same, both
// ends keep the one that the lower number dialed.
//
// # Two instances of one member
//
// Each start of a node has a boot id and a lease token that grows. A
// connection with a greater token than the live ones of its member replaces
// them. With a lesser or equal token it gets in only if the live ones, asked
// by a PING, stay silent for Config.Probe; otherwise it is refused, and with
// equal tokens as CodeTwice: the member seems to run twice. The PING has the
// number 0; its PONG reaches Config.Frame like any frame and means nothing to
// a station that did not ask.
package carrier
