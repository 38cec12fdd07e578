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
	r.Serial = d.Uint(parley.MaxUint)
	r.Demo = d.Uint(1) == 1
	r.RPID = d.Text(1, MaxRPID)
	for range d.Array(1, MaxOrigins) {
		r.Origins = append(r.Origins, d.Text(1, MaxOrigin))
	}
	for range d.Array(0, MaxOfficers) {
		d.Array(4, 4)
		k := Officer{Alg: Alg(d.Uint(uint64(EdDSA)))}
		k.Key = d.Bytes(32, 65)
		k.Title = d.Text(1, 64)
		k.Functions = Functions(d.Uint(uint64(MayDraft | MayRelease)))
		r.Keys = append(r.Keys, k)
	}
	return &r
}

// Check reports the rule that the roster alone breaks.
func (r *Roster) Check() error {
	if r.Serial == 0 || r.Serial > parley.MaxUint {
		return parley.Errorf(parley.CodeOutOfRange, "roster serial %d; serials count from 1", r.Serial)
	}
	if !isHost(r.RPID) {
		return parley.Errorf(CodeRPID, "%q is not a host name that passkeys are bound to", r.RPID)
	}
	if len(r.Origins) == 0 || len(r.Origins) > MaxOrigins || len(r.Keys) > MaxOfficers {
		return parley.Errorf(parley.CodeLength, "a roster of %d addresses and %d keys", len(r.Origins), len(r.Keys))
	}
	for i, o := range r.Origins {
		if err := checkOrigin(o, r.RPID); err != nil {
			return err
		}
		if i > 0 && r.Origins[i-1] >= o {
			return parley.Errorf(parley.CodeNotSorted, "the roster's addresses are not sorted, each once")
		}
	}
	seen := map[ID]bool{}
	for i := range r.Keys {
		k := &r.Keys[i]
		if err := k.check(); err != nil {
			return err
		}
		if seen[k.ID()] {
			return parley.Errorf(CodeKeyRepeated, "key %s stands in the roster twice", k.ID().Short())
		}
		seen[k.ID()] = true
	}
	return nil
}

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
	default:
		return parley.Errorf(parley.CodeOutOfRange, "the key of %q is of %s; it is 7 or 8", o.Title, o.Alg)
	}
	if err := parley.CheckName(o.Title); err != nil {
		return err
	}
	if o.Functions == 0 || o.Functions > MayDraft|MayRelease {
		return parley.Errorf(parley.CodeOutOfRange, "the key of %q has functions %d", o.Title, o.Functions)
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
