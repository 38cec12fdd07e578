// Package witness is a transparency log witness and its client.
//
// A witness looks at the signed heads of logs and at nothing else: it keeps
// the newest head of each log, asks for a proof that the next one extends it,
// and then cosigns. Two heads of one size never both get its cosignature, so a
// log that shows different histories to different readers is caught by any
// witness the readers have in common.
//
// The server speaks add-checkpoint of C2SP tlog-witness (c2sp.org/tlog-witness)
// and serves any log with an Ed25519 key: those of a list (ParseLogs), and
// every Parley log that fits a charter its operator accepted. A witness
// written by others can take its place; WitnessConfig prints what that one
// needs to know.
//
//	key, err := witness.CreateKey("witness.key", "witness.example")
//	srv, err := witness.New(witness.Config{Dir: "state", Key: key, Charters: charters})
//	err = srv.HTTP().Serve(listener)
//
// Everything it says is signed and public, so the protocol needs no TLS; put a
// proxy in front where requests cross networks that should not see origins.
//
// Limits. A witness sees origins, sizes and times, never content. Its memory
// is its directory: a witness whose directory was lost or rolled back must be
// retired with its key, since it could cosign a second history.
package witness
