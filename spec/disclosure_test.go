package spec

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"parley"
	"parley/journal"
)

// The disclosure page's parameter op says what the input is: tlog-proof and
// inventory (the forms alone) or file (a whole file of any kind; channel is
// the one that the caller means, if any).
func init() {
	runners["disclosure"] = func(v *Vector) error {
		switch v.Params["op"] {
		case "tlog-proof":
			_, err := journal.ParseTlogProof(v.Input)
			return err
		case "inventory":
			_, err := journal.ParseInventory(v.Input)
			return err
		case "file":
			return fileVector(v)
		}
		return fmt.Errorf("op %q", v.Params["op"])
	}
}

func fileVector(v *Vector) error {
	var o journal.Verify
	if s := v.Params["channel"]; s != "" {
		b, err := hex.DecodeString(s)
		if err != nil || len(b) != 32 {
			return fmt.Errorf("channel %q", s)
		}
		o.Channel = (*parley.Hash)(b)
	}
	kind, ok := journal.KindOf(v.Input)
	if !ok {
		return parley.Errorf(journal.CodeFile, "not a file of version 1")
	}
	run := map[journal.FileKind]func() error{
		journal.FileRecord:     func() error { return journal.VerifyRecord(bytes.NewReader(v.Input), o, nil) },
		journal.FileDisclosure: func() error { return journal.VerifyDisclosure(bytes.NewReader(v.Input), o, nil) },
		journal.FileFork:       func() error { return journal.VerifyFork(bytes.NewReader(v.Input), o, nil) },
	}
	return run[kind]()
}
