package parley

import (
	"errors"
	"fmt"
)

// Code names one broken rule. Codes are stable: programs and manuals may
// depend on them. Every code has one line in the table below.
type Code string

// Error is what every package returns for bad input: a code for machines, a
// sentence for people, and the cause where there is one.
type Error struct {
	Code Code
	Msg  string
	Err  error
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Msg }
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error. A %w verb keeps its operand as the cause.
func Errorf(c Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: c, Msg: err.Error(), Err: errors.Unwrap(err)}
}

// CodeOf is the code of the first Error in err's chain, or "" if it has none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Codes of the encoding: a byte string that is not the canonical form.
const (
	CodeTruncated    Code = "truncated"
	CodeNotCanonical Code = "not-canonical"
	CodeType         Code = "wrong-type"
	CodeOutOfRange   Code = "out-of-range"
	CodeLength       Code = "wrong-length"
	CodeUTF8         Code = "bad-utf8"
	CodeTrailing     Code = "trailing-bytes"
	CodeNotSorted    Code = "not-sorted"
	CodeDepth        Code = "too-deep"
	CodeTooLarge     Code = "too-large"
)

// Codes of entries and charters.
const (
	CodeAudience     Code = "bad-audience"
	CodeKindAudience Code = "kind-needs-all"
	CodeKindLane     Code = "kind-wrong-lane"
	CodeOrigin       Code = "bad-origin"
	CodeVersion      Code = "wrong-version"
	CodeMembers      Code = "bad-members"
	CodeKey          Code = "bad-key"
	CodeKeyRepeated  Code = "key-repeated"
	CodePossession   Code = "no-possession"
	CodeName         Code = "bad-name"
	CodeQuorum       Code = "bad-quorum"
	CodeSignature    Code = "bad-signature"
	CodeUnsigned     Code = "not-all-signed"
	CodeSerial       Code = "bad-serial"
)

var remedies = map[Code]string{
	CodeTruncated:    "The data ends too early. Copy it again from its source.",
	CodeNotCanonical: "The data is not in the one permitted form. Its writer must be corrected; do not repair it by hand.",
	CodeType:         "A field has the wrong type. Its writer must be corrected.",
	CodeOutOfRange:   "A number lies outside its permitted range. Correct the value.",
	CodeLength:       "A field or list has the wrong length. Correct the value.",
	CodeUTF8:         "A text is not valid UTF-8. Send it as UTF-8.",
	CodeTrailing:     "There is something after the end of the data. Copy it again from its source.",
	CodeNotSorted:    "A list that must be sorted and free of repeats is not. Its writer must be corrected.",
	CodeDepth:        "The data is nested too deeply. Its writer must be corrected.",
	CodeTooLarge:     "The data exceeds its limit. Send less at once.",
	CodeAudience:     "Choose the addressees among the other members of the channel.",
	CodeKindAudience: "Entries of this kind must be addressed to all members.",
	CodeKindLane:     "Entries of this kind have a fixed lane. Its writer must be corrected.",
	CodeOrigin:       "Use the origin exactly as the node prints it.",
	CodeVersion:      "Both sides must run a version that speaks protocol 1.",
	CodeMembers:      "Number the members 1, 2, 3 and so on; a channel has 2 to 20.",
	CodeKey:          "The key is not valid. Ask its holder for a new card.",
	CodeKeyRepeated:  "A key occurs twice. Ask its holder for a new card; keys are never shared or reused.",
	CodePossession:   "The holder did not prove that it has the private key. Ask for a new card.",
	CodeName:         "Use a name of 1 to 64 bytes, without control characters, that no other member has.",
	CodeQuorum:       "Correct the group and quorum lines; every name in them must be a witness of the charter.",
	CodeSignature:    "The signature does not fit. Compare fingerprints with the signer by voice before trusting either side.",
	CodeUnsigned:     "Wait for the missing signatures, then accept the charter again.",
	CodeSerial:       "Only a greater serial replaces keys. Ask the key's holder for the newest statement.",
}

// Remedy says what to do about an error with this code, in one or two short
// sentences for an officer.
func (c Code) Remedy() string { return remedies[c] }

// RegisterCodes adds a package's own codes with their remedies. It is called
// from package variable initialisation only and panics on a repeated code: two
// rules must never share one.
func RegisterCodes(r map[Code]string) bool {
	for c, s := range r {
		if _, ok := remedies[c]; ok {
			panic("parley: code " + string(c) + " registered twice")
		}
		remedies[c] = s
	}
	return true
}
