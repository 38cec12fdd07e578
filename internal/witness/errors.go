package witness

import (
	"fmt"

	"parley"
)

// Codes of the witness and its client.
const (
	CodeRequest     parley.Code = "witness-request"
	CodeKeyFile     parley.Code = "witness-key-file"
	CodeLogList     parley.Code = "witness-log-list"
	CodeState       parley.Code = "witness-state"
	CodeInUse       parley.Code = "witness-in-use"
	CodeUnknown     parley.Code = "unknown-to-witness"
	CodeConflict    parley.Code = "witness-conflict"
	CodeRefused     parley.Code = "witness-refused"
	CodeUnreachable parley.Code = "witness-unreachable"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeRequest:     "The request is not in the form of C2SP tlog-witness. Its sender must be corrected.",
	CodeKeyFile:     "The witness key file is not usable. Restore it from its own backup with mode 0600; without it, make a new witness with a new name.",
	CodeLogList:     "The list of logs is not usable. Correct the named line.",
	CodeInUse:       "Another process is this witness already. Find it, and let only one run.",
	CodeState:       "The witness's memory is damaged or belongs to another witness. Do not delete it to go on: retire this witness and its key.",
	CodeUnknown:     "The witness does not know this log. Send its operator the charter, or the output of parley witness-config.",
	CodeConflict:    "The witness knows another state of this log. If it knows more than this node, the node's store is old: start it again so that it recovers.",
	CodeRefused:     "The witness refused the head. Nothing waits for it; tell the witness's operator and look at both logs.",
	CodeUnreachable: "The witness did not answer. Entries are delivered without it; it is tried again at the next interval.",
})

// Conflict is a 409: the witness's newest head of the log is not the one the
// submission started from.
type Conflict struct {
	Size    uint64 // of the witness's newest head
	HasSize bool   // false: another root of the same size; a refusal
}

func (e *Conflict) Error() string { return e.Unwrap().Error() }

// Unwrap gives the error its code.
func (e *Conflict) Unwrap() error {
	if !e.HasSize {
		return parley.Errorf(CodeConflict, "the witness holds another root of this size")
	}
	return parley.Errorf(CodeConflict, "the witness holds this log at size %d", e.Size)
}

// Unknown is a 403 or 404: the witness does not know the log, or not its key.
type Unknown struct{ Status int }

func (e *Unknown) Error() string { return e.Unwrap().Error() }

// Unwrap gives the error its code.
func (e *Unknown) Unwrap() error {
	what := "log"
	if e.Status == 403 {
		what = "key of this log"
	}
	return parley.Errorf(CodeUnknown, "the witness does not know the %s (status %d)", what, e.Status)
}

// Refused is every other answer that is not a cosignature.
type Refused struct {
	Status int
	Text   string // the first line of what the witness said
}

func (e *Refused) Error() string { return e.Unwrap().Error() }

// Unwrap gives the error its code.
func (e *Refused) Unwrap() error {
	s := fmt.Sprintf("the witness answered with status %d", e.Status)
	if e.Text != "" {
		s += ": " + e.Text
	}
	return parley.Errorf(CodeRefused, "%s", s)
}
