// Package journal is one author's append-only log as everybody holds it:
// salted commitments as leaves of an RFC 6962 tree, heads as C2SP checkpoints
// signed by their author, receipts and witnesses as C2SP cosignatures, the
// proof that an author signed two histories, and the disclosure of a record
// to strangers.
//
// Making and checking stand side by side, and the checker needs no server:
//
//	Commit, LeafHash          CheckLeaf, CheckEntry
//	Tree.Append, Prove…       CheckConsistency, CheckInclusion
//	SignHead, Cosign, Seal    Keyring.VerifyHead, VerifyCosig, VerifyLine
//	ProveFork                 Fork.Check
//	WriteRecord               VerifyRecord
//	NewDisclosure             VerifyDisclosure
//	WriteFork                 VerifyFork
//
// The three Verify functions read a file that a member gave away and report,
// line by line, what it proves, what it only claims and what it leaves out. A
// file that is broken anywhere proves nothing: the first broken thing is the
// error, with a code of its own. They start no goroutine; Verify.Run lets the
// caller spread the work over processors.
//
// A proof says that a key signed, not that a person meant it. Times come from
// witnesses and are upper bounds; every other time is somebody's claim. And a
// record shows what its exporter put into it: what nothing in it cites can be
// missing without a trace.
//
// The package is pure: it reads no clock, no disk, no network.
package journal
