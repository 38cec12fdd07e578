// Package frame encodes and decodes the frames that travel between nodes, the
// same on every carrier (spec/frames.md).
//
// A frame is one byte of protocol version and type, then fields of fixed size
// in big-endian order; HAVE and WANT carry canonical CBOR, HEADS a C2SP signed
// note. The first bytes of a receipt on lane FLASH by member 2:
//
//	23                version 1 (3 bits), type 3 (5 bits)
//	02                lane 0 (3 bits), cosigner 2 (5 bits)
//	a9 51             hint of the log
//	00 11             size 17, its low 16 bits
//	68 1e 2f 00       time
//	…                 64 bytes of signature
//
// Decode is strict: every length is exact, reserved bits are zero, and a frame
// that decodes encodes to the same bytes. It checks form only. Whether members
// and audiences exist in a charter, whether signatures hold and sealed parts
// open, is for the station.
//
// A frame is not trusted for having arrived: what it carries is either signed,
// sealed, or a question.
//
// The package is pure. Encoding never fails; values that break a rule, such as
// an unsorted HAVE, are written as they stand and refused by every reader.
package frame
