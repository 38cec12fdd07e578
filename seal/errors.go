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
	CodePassphrase: "Type the passphrase again. If it is lost, the root is rebuilt from its shares under a new one: parley root combine SHARE...",
	CodeSecrets:    "The key file is damaged. Put node.key back from the identity file (parley identity open FILE), a root from its copy or its shares (parley root combine SHARE...).",
})
