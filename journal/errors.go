package journal

import "parley"

// Codes of the journal.
const (
	CodeProof      parley.Code = "bad-proof"
	CodeCheckpoint parley.Code = "bad-checkpoint"
	CodeFork       parley.Code = "fork"
	CodeNoFork     parley.Code = "no-fork"
)

// Codes of files for strangers: records, disclosures and fork proofs.
const (
	CodeFile      parley.Code = "bad-file"
	CodeDamage    parley.Code = "file-damaged"
	CodeSection   parley.Code = "wrong-section"
	CodeChannel   parley.Code = "wrong-channel"
	CodeInventory parley.Code = "bad-inventory"
	CodeHead      parley.Code = "bad-head"
	CodeRoot      parley.Code = "wrong-root"
	CodeLeaf      parley.Code = "bad-opening"
	CodeReceipt   parley.Code = "bad-receipt"
	CodeSeal      parley.Code = "bad-seal"
	CodeWitness   parley.Code = "bad-witness"
	CodeRootKeys  parley.Code = "bad-rootkeys"
	CodePolicy    parley.Code = "bad-policy"
	CodeEndMark   parley.Code = "bad-end"
)

// CodeGeneration marks a log that does not begin with its GENERATION, a
// GENERATION elsewhere, or ROOTKEYS where they may not stand.
const CodeGeneration parley.Code = "generation-place"

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeProof:      "The proof does not hold. Ask its sender for the log again; if it fails twice, keep both copies and tell the other members.",
	CodeCheckpoint: "The signed head is not in the permitted form. Ask its sender for it again.",
	CodeFork:       "A party signed two histories of one log. Keep the proof file, export the record and inform your superior. Other lanes go on.",
	CodeNoFork:     "The file does not prove a fork; nobody is accused. Ask its sender what it was meant to show.",

	CodeFile:       "The file is not a Parley record, disclosure or fork proof of version 1. Ask for the file again.",
	CodeDamage:     "The file was changed after it was written. Copy it again from its source.",
	CodeSection:    "A part of the file stands where it may not. Ask its writer to export again.",
	CodeChannel:    "The file belongs to another channel than the one you named. Compare the channel number with a member.",
	CodeInventory:  "The exporter's signed list does not fit the file. Ask the exporter for a new export; keep this one.",
	CodeHead:       "A signed head does not fit its author's key. Ask for the file again; if it fails twice, keep both copies.",
	CodeRoot:       "The entries are not those that the author signed. Ask another member for its export and compare.",
	CodeLeaf:       "The text of an entry is not the one that was committed to. Do not rely on it; ask another member for its export.",
	CodeReceipt:    "A receipt does not fit its signer's key. Ask for the file again; treat the receipt as not given.",
	CodeSeal:       "A seal does not fit its author's key. Ask for the file again; the Ed25519 signature decides alone.",
	CodeWitness:    "A witness's cosignature does not fit its key. Ask for the file again; treat the time as not proved.",
	CodeRootKeys:   "A change of keys is missing or was not signed by the party's root. Do not rely on anything signed by the new keys.",
	CodePolicy:     "The policy is not the one that the charter lays down. Ask for the file again.",
	CodeGeneration: "A log begins with one GENERATION, and changes of keys stand in lane ROUTINE. The entry has no effect; tell its author.",

	CodeEndMark: "The end of the file is not signed by its exporter. Ask for the file again.",
})
