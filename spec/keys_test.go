package spec

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"parley"
	"parley/seal"
)

// The keys page's parameter op says what the input is: node-keys (the list of
// a member's keys), rootkeys and keys (bodies of kinds 16 and 4), derive (an
// audience key), unwrap (the sealed part of a GRANT). The others are what the
// check needs, in hexadecimal or decimal.
func init() {
	ops := map[string]func(*Vector, *params) error{
		"node-keys": nodeKeys, "rootkeys": rootKeys, "keys": keysBody, "derive": derive, "unwrap": unwrap,
	}
	runners["keys"] = func(v *Vector) error {
		p := &params{v: v}
		op := ops[v.Params["op"]]
		if op == nil {
			return fmt.Errorf("op %q", v.Params["op"])
		}
		err := op(v, p)
		if p.err != nil {
			return p.err
		}
		return err
	}
}

// params reads header lines; the first that is not there is the error.
type params struct {
	v   *Vector
	err error
}

func (p *params) bytes(name string, n int) []byte {
	b, err := hex.DecodeString(p.v.Params[name])
	if err != nil || n > 0 && len(b) != n {
		p.err = fmt.Errorf("parameter %s: %v, %d bytes", name, err, len(b))
		return make([]byte, n)
	}
	return b
}

func (p *params) hash(name string) parley.Hash { return parley.Hash(p.bytes(name, 32)) }
func (p *params) gen() parley.Gen              { return parley.Gen(p.bytes("gen", 8)) }

func (p *params) uint(name string) uint64 {
	v, err := strconv.ParseUint(p.v.Params[name], 10, 64)
	if err != nil {
		p.err = fmt.Errorf("parameter %s: %v", name, err)
	}
	return v
}

func nodeKeys(v *Vector, p *params) error {
	d := parley.NewDecoder(v.Input, 6)
	k := d.Keys()
	if err := d.End(); err != nil {
		return err
	}
	return k.Check(p.hash("root-id"))
}

func rootKeys(v *Vector, p *params) error {
	r, err := parley.ParseRootKeys(v.Input)
	if err != nil {
		return err
	}
	m := &parley.Member{Index: parley.Party(p.uint("member")), RootEd: p.bytes("root-ed", 32), RootPQ: p.bytes("root-pq", 1312)}
	return r.Verify(p.hash("channel"), m, p.gen())
}

func keysBody(v *Vector, p *params) error {
	k, err := parley.ParseKeysBody(v.Input)
	if err != nil {
		return err
	}
	if err := k.Verify(p.bytes("log-ed", 32), p.hash("channel"), parley.Party(p.uint("member")), p.gen(), p.uint("index")); err != nil {
		return err
	}
	return seal.CheckKEM(k.KEM)
}

// derive computes the derivation as the page writes it and as package seal
// does.
func derive(v *Vector, p *params) error {
	label, origin, index := v.Params["label"], v.Params["origin"], p.uint("index")
	info := "parley/" + label + "/1\n" + origin + "\n" + strconv.FormatUint(index, 10)
	k := seal.Key(v.Input)
	var got [32]byte
	switch label {
	case "salt":
		got = seal.Salt(k, origin, index)
	case "entry":
		got = seal.EntryKey(k, origin, index)
	case "open":
		leaf := p.hash("leaf")
		info += "\n" + string(leaf[:])
		got = seal.OpenKey(k, origin, index, leaf)
	default:
		return fmt.Errorf("label %q", label)
	}
	want := p.bytes("output", 32)
	page, err := hkdf.Expand(sha256.New, v.Input, info, 32)
	if err != nil {
		return err
	}
	if !bytes.Equal(page, want) || !bytes.Equal(got[:], want) {
		return fmt.Errorf("derived %x by the page, %x by seal, want %x", page, got, want)
	}
	return nil
}

func unwrap(v *Vector, p *params) error {
	kem, err := seal.NewKEM(p.hash("seed"))
	if err != nil {
		return err
	}
	k, err := kem.Unwrap(p.bytes("info", 0), v.Input)
	if err != nil {
		return err
	}
	if want := p.hash("key"); k != seal.Key(want) {
		return fmt.Errorf("unwrapped %x, want %s", k, want)
	}
	return nil
}
