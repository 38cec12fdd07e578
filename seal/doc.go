// Package seal holds the keys of a party and what they seal: audience keys and
// the salts and entry keys derived from them, grants of audience keys by
// hybrid HPKE, the node's and the root's signing keys, and the card by which a
// party introduces itself.
//
// Secrecy lives in transport, not in the record: an audience key is shared by
// its author and readers for one window of time and then destroyed, while the
// salted commitments it produced stay for ever (spec/keys.md).
//
// The package reads crypto/rand where HPKE does; everything else random comes
// from a reader that the caller hands in.
package seal
