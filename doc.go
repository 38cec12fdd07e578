// Package parley is the vocabulary of the Parley protocol: parties and lanes,
// entries, heads and references, the charter of a channel, its canonical
// encoding, and the error codes every other package uses.
//
// A channel is a fixed set of members under one signed charter. Each member
// writes its own logs, one per lane and generation, and signs only their
// heads. The record holds a salted commitment to every entry; what the entry
// says travels sealed to its audience.
//
// The package is pure: it reads no clock, no disk, no network, no randomness.
// Everything that enters as bytes is checked to be the one canonical form
// (deterministic CBOR, RFC 8949 section 4.2.1, narrowed in spec/entry.md);
// every rule that bytes can break has an error code of its own, and every code
// has a sentence that says what to do (Code.Remedy).
package parley
