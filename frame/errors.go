package frame

import "parley"

// Codes of frames. The CBOR inside HAVE and WANT has the root's codes.
const (
	CodeFrameVersion   parley.Code = "frame-version"
	CodeFrameReserved  parley.Code = "frame-reserved"
	CodeFrameLength    parley.Code = "frame-length"
	CodeFrameLane      parley.Code = "frame-lane"
	CodeFrameMember    parley.Code = "frame-member"
	CodeFrameFlags     parley.Code = "frame-flags"
	CodeFrameNumber    parley.Code = "frame-number"
	CodeFrameNote      parley.Code = "frame-note"
	CodeFrameKeyID     parley.Code = "frame-keyid"
	CodeFrameSpan      parley.Code = "frame-span"
	CodeFrameRecipient parley.Code = "frame-recipient"
	CodeFrameWindow    parley.Code = "frame-window"
	CodeFramePadding   parley.Code = "frame-padding"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeFrameVersion:   "The other node speaks another version of the frames. Both sides must run a version that speaks protocol 1.",
	CodeFrameReserved:  "The frame uses something kept for a later version. It was dropped; nothing is lost that this version could read.",
	CodeFrameLength:    "The frame has the wrong length and was dropped. If it repeats, the other node must be corrected.",
	CodeFrameLane:      "The frame names a lane above 4 and was dropped. The other node must be corrected.",
	CodeFrameMember:    "The frame names a member outside 1 to 20 and was dropped. The other node must be corrected.",
	CodeFrameFlags:     "The frame sets bits that must be zero and was dropped. The other node must be corrected.",
	CodeFrameNumber:    "The frame holds a number above 2^53-1 and was dropped. The other node must be corrected.",
	CodeFrameNote:      "The frame's signed head has not the form of a signed note with 1 to 64 signature lines. The other node must be corrected.",
	CodeFrameKeyID:     "The frame names a key whose identifier starts with two zero bytes. The other node must be corrected.",
	CodeFrameSpan:      "The request ends before it begins. The other node must be corrected.",
	CodeFrameRecipient: "The key is granted to a member that is its author or not in its audience. The other node must be corrected.",
	CodeFrameWindow:    "The key's window ends before it begins. The other node must be corrected.",
	CodeFramePadding:   "The padding is not zero. The other node must be corrected.",
})
