package journal

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"parley"
)

// vkey is a C2SP signed-note verifier key: name+hex(key ID)+base64(type ‖ key).
func vkey(name string, typ byte, key []byte) string {
	id := keyID(name, typ, key)
	return name + "+" + hex.EncodeToString(id[:]) + "+" + base64.StdEncoding.EncodeToString(append([]byte{typ}, key...))
}

// Policy is the C2SP tlog-policy that a disclosed entry carries: the one log
// line of its origin, the charter's witnesses, and the charter's quorum. It
// adds nothing to the charter; it lets a program that knows C2SP but not
// Parley check the same proof. A witness with two keys becomes a group of its
// name, met by either.
func Policy(c *parley.Charter, log parley.LogID, logKey []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "log %s\n", vkey(log.Origin(), typeEd, logKey))
	for _, w := range c.Witnesses {
		switch {
		case w.Ed != nil && w.PQ != nil:
			fmt.Fprintf(&b, "witness %s#ed25519 %s\n", w.Name, vkey(w.Name, typeCosi, w.Ed))
			fmt.Fprintf(&b, "witness %s#mldsa44 %s\n", w.Name, vkey(w.Name, typePQ, w.PQ))
			fmt.Fprintf(&b, "group %s any %s#ed25519 %s#mldsa44\n", w.Name, w.Name, w.Name)
		case w.Ed != nil:
			fmt.Fprintf(&b, "witness %s %s\n", w.Name, vkey(w.Name, typeCosi, w.Ed))
		default:
			fmt.Fprintf(&b, "witness %s %s\n", w.Name, vkey(w.Name, typePQ, w.PQ))
		}
	}
	return b.String() + c.Rules.Quorum
}
