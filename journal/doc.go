// Package journal is one author's append-only log as everybody holds it:
// salted commitments as leaves of an RFC 6962 tree, heads as C2SP checkpoints
// signed by their author, receipts and witnesses as C2SP cosignatures, the
// proof that an author signed two histories, and the disclosure of a record
// to strangers.
//
// Making and checking stand side by side, and the checker needs no server.
// The package is pure.
package journal
