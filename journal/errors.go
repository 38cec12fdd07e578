package journal

import "parley"

// Codes of the journal.
const (
	CodeProof      parley.Code = "bad-proof"
	CodeCheckpoint parley.Code = "bad-checkpoint"
	CodeFork       parley.Code = "fork"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeProof:      "The proof does not hold. Ask its sender for the log again; if it fails twice, keep both copies and tell the other members.",
	CodeCheckpoint: "The signed head is not in the permitted form. Ask its sender for it again.",
	CodeFork:       "A party signed two histories of one log. Keep the proof file, export the record and inform your superior. Other lanes go on.",
})
