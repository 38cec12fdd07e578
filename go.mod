module parley

go 1.26.0

// What this module imports itself, each with the reason why it is worth having.
require (
	filippo.io/age v1.3.2 // seals the root key file with a passphrase, in a format that other tools read
	filippo.io/mldsa v1.0.0 // ML-DSA-44, the second signature of roots and seals; the standard library has none
	github.com/alecthomas/kong v1.17.0 // the command line: a struct for each command, help and errors from its tags
	github.com/go-webauthn/webauthn v0.18.2 // passkeys of officers: reads and checks what authenticators answer, maintained and widely used
	github.com/jba/templatecheck v0.7.1 // tests of the console only: checks each page's template against its struct, every branch
	golang.org/x/mod v0.42.0 // sumdb/tlog and sumdb/note: the tree and the signed notes that C2SP builds on
	golang.org/x/term v0.47.0 // reads a passphrase without echo; tells a terminal from a file, and its width
	modernc.org/libc v1.79.0 // tests of package store only: a file system under SQLite that loses power
	modernc.org/sqlite v1.61.1 // the record on disk: SQLite without cgo, so that one binary runs anywhere
)

require (
	filippo.io/hpke v0.4.0 // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/fxamacker/cbor/v2 v2.9.4 // indirect
	github.com/go-viper/mapstructure/v2 v2.5.0 // indirect
	github.com/go-webauthn/x v0.3.1 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/google/go-tpm v0.9.8 // indirect
	github.com/google/safehtml v0.0.2 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/tinylib/msgp v1.6.4 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	golang.org/x/crypto v0.57.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)
