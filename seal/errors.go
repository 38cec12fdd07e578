package seal

import "parley"

// Codes of this package.
const (
	CodeOpen       parley.Code = "cannot-open"
	CodeCard       parley.Code = "bad-card"
	CodePassphrase parley.Code = "wrong-passphrase"
	CodeSecrets    parley.Code = "bad-key-file"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeOpen:       "The content cannot be opened with the keys at hand. The author is asked for the key by itself; if this stays, call the author on another line.",
	CodeCard:       "The card is damaged or was changed. Ask its holder for it again and compare the words by voice.",
	CodePassphrase: "Type the passphrase again. If it is lost, the root key is lost: follow the procedure for a lost root.",
	CodeSecrets:    "The key file is damaged. Restore it from its own backup.",
})
