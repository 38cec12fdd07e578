package release

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"strconv"
	"strings"

	"parley"
)

// Limits of a roster.
const (
	MaxOfficers = 64  // keys
	MaxOrigins  = 16  // addresses of the console
	MaxRPID     = 253 // bytes of a host name
	MaxOrigin   = 300 // bytes of an address
)

// Roster says which keys a party's officers hold (kind 32), from where it
// stands in the party's ROUTINE log until one with a greater serial. It
// replaces the one before it as a whole; an empty list of keys is allowed and
// means that nobody releases.
type Roster struct {
	Serial  uint64   // from 1; the greatest counts
	Demo    bool     // of a demonstration: the node holds the keys itself
	RPID    string   // host name to which the passkeys are bound (WebAuthn's RP ID)
	Origins []string // addresses of the console, sorted
	Keys    []Officer
}

// Officer is one key of an office.
type Officer struct {
	Alg       Alg
	Key       []byte    // ES256: 65 bytes, uncompressed point; EdDSA: 32 bytes
	Title     string    // of the office, such as "Duty officer 3"; never a person's name
	Functions Functions // what the key may do
}

// ID names the officer's key.
func (o *Officer) ID() ID { return KeyID(o.Alg, o.Key) }

// Find is the officer whose key is named id, nil if there is none.
func (r *Roster) Find(id ID) *Officer {
	for i := range r.Keys {
		if r.Keys[i].ID() == id {
			return &r.Keys[i]
		}
	}
	return nil
}

// Kind is KindRoster.
func (r *Roster) Kind() parley.Kind { return KindRoster }

// Encode is the canonical form.
func (r *Roster) Encode() []byte {
	b := parley.AppendUint(parley.AppendArray(nil, 5), r.Serial)
	demo := uint64(0)
	if r.Demo {
		demo = 1
	}
	b = parley.AppendUint(b, demo)
	b = parley.AppendText(b, r.RPID)
	b = parley.AppendArray(b, len(r.Origins))
	for _, o := range r.Origins {
		b = parley.AppendText(b, o)
	}
	b = parley.AppendArray(b, len(r.Keys))
	for _, k := range r.Keys {
		b = parley.AppendUint(parley.AppendArray(b, 4), uint64(k.Alg))
		b = parley.AppendBytes(b, k.Key)
		b = parley.AppendText(b, k.Title)
		b = parley.AppendUint(b, uint64(k.Functions))
	}
	return b
}

func decodeRoster(d *parley.Decoder) *Roster {
	var r Roster
	d.Array(5, 5)
	r.Serial = number(d, 1, parley.MaxUint)
	r.Demo = d.Uint(1) == 1
	r.RPID = d.Text(1, MaxRPID)
	for i := range d.Array(1, MaxOrigins) {
		o := d.Text(1, MaxOrigin)
		if i > 0 && r.Origins[i-1] >= o {
			d.Fail(parley.Errorf(parley.CodeNotSorted, "the roster's addresses are not sorted, each once"))
		}
		r.Origins = append(r.Origins, o)
	}
	for range d.Array(0, MaxOfficers) {
		d.Array(4, 4)
		k := Officer{Alg: Alg(number(d, uint64(ES256), uint64(EdDSA)))}
		k.Key = d.Bytes(32, 65)
		k.Title = d.Text(1, 64)
		k.Functions = Functions(number(d, 1, uint64(MayDraft|MayRelease)))
		r.Keys = append(r.Keys, k)
	}
	return &r
}

// number reads an integer from lo to hi.
func number(d *parley.Decoder, lo, hi uint64) uint64 {
	v := d.Uint(hi)
	if d.Err() == nil && v < lo {
		d.Fail(parley.Errorf(parley.CodeOutOfRange, "integer %d is not %d to %d", v, lo, hi))
	}
	return v
}

// Check reports the rule that the roster's content breaks: host, addresses,
// keys, titles. Parse has looked at its form.
func (r *Roster) Check() error {
	if !isHost(r.RPID) {
		return parley.Errorf(CodeRPID, "%q is not a host name that passkeys are bound to", r.RPID)
	}
	for _, o := range r.Origins {
		if err := checkOrigin(o, r.RPID); err != nil {
			return err
		}
	}
	for i := range r.Keys {
		if err := r.Keys[i].check(); err != nil {
			return err
		}
	}
	seen := map[ID]bool{}
	for i := range r.Keys {
		k := &r.Keys[i]
		if seen[k.ID()] {
			return parley.Errorf(CodeKeyRepeated, "key %s stands in the roster twice", k.ID().Short())
		}
		seen[k.ID()] = true
	}
	for i := range r.Keys {
		if err := parley.CheckName(r.Keys[i].Title); err != nil {
			return err
		}
	}
	return nil
}

// check reports whether the key is one of its algorithm.
func (o *Officer) check() error {
	switch o.Alg {
	case ES256:
		if _, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), o.Key); err != nil {
			return parley.Errorf(CodeKey, "the key of %q is no point of P-256: %w", o.Title, err)
		}
	case EdDSA:
		if err := parley.CheckEd(o.Key); err != nil {
			return parley.Errorf(CodeKey, "the key of %q: %w", o.Title, err)
		}
	}
	return nil
}

// CheckIn checks that the roster is addressed to all and stands in ROUTINE.
func (r *Roster) CheckIn(author parley.Party, lane parley.Lane, to parley.Audience) error {
	if to != parley.ToAll || lane != parley.Routine {
		return parley.Errorf(CodeNotAll, "a roster in lane %s to %#x", lane, uint32(to))
	}
	return nil
}

// isHost reports whether s is a host name in lower case, and no IP address:
// what WebAuthn takes for an RP ID.
func isHost(s string) bool {
	if s == "" || len(s) > MaxRPID {
		return false
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, c := range []byte(l) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// checkOrigin checks an address as browsers write it: scheme and host in lower
// case, no default port, nothing behind; the host is rpID or lies under it.
func checkOrigin(s, rpID string) error {
	bad := parley.Errorf(CodeOrigin, "%q is not an address of the console under %s", s, rpID)
	scheme, rest, ok := strings.Cut(s, "://")
	host, port, hasPort := strings.Cut(rest, ":")
	if !ok || len(s) > MaxOrigin || !isHost(host) || host != rpID && !strings.HasSuffix(host, "."+rpID) {
		return bad
	}
	def := "443"
	switch scheme {
	case "https":
	case "http": // browsers treat this host alone as safe without TLS
		if def = "80"; host != "localhost" && !strings.HasSuffix(host, ".localhost") {
			return bad
		}
	default:
		return bad
	}
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port == def || strconv.FormatUint(n, 10) != port {
			return bad
		}
	}
	return nil
}
