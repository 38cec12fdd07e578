package store

import "parley"

// Codes of the store beyond those of the contract in package journal.
const (
	CodeInUse   parley.Code = "store-in-use"
	CodeMissing parley.Code = "store-missing"
	CodeForeign parley.Code = "store-foreign"
	CodeVersion parley.Code = "store-version"
	CodeKey     parley.Code = "store-key"
	CodeUnsafe  parley.Code = "store-unsafe"
	CodeFailed  parley.Code = "store-failed"
	CodeFull    parley.Code = "store-full"
	CodeRepair  parley.Code = "store-repair"
	CodeSwapped parley.Code = "store-swapped"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeInUse:   "Another node runs on this directory. Stop it first; two nodes must never write one record.",
	CodeMissing: "There is no record here. Check the directory; a lost record comes back with parley recover.",
	CodeForeign: "The file is not a Parley record. Check the directory.",
	CodeVersion: "A newer version of Parley wrote this record. Start that version or a later one.",
	CodeKey:     "The data key does not open this record. Restore the key file that belongs to it.",
	CodeUnsafe:  "The disk or file system does not give the promises that a record needs. Use a local disk.",
	CodeFailed:  "The disk failed a write or a read. Check the disk, then start the node again; the start checks the record's end.",
	CodeRepair:  "Nothing is lost. Start the node, or run parley fsck --repair again: either takes the last step.",
	CodeSwapped: "Somebody removed, replaced or wrote the record's files while the node ran. Find out who, never copy into a running party's directory, then run parley fsck.",
	CodeFull:    "The disk is full. Free space, then start the node again; nothing that was acknowledged is lost.",
})
