package parley

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// Diagnostic prints canonical CBOR in diagnostic notation (RFC 8949 section
// 8), so that a person can read a body whose format a program does not know:
//
//	[0, 1, "text", h'00ff', null]
//
// It reports false if b is not one item of the five types of this encoding.
func Diagnostic(b []byte) (string, bool) {
	var out strings.Builder
	d := NewDecoder(b, 16)
	ok := d.diagnostic(&out) && d.End() == nil
	return out.String(), ok
}

func (d *Decoder) diagnostic(out *strings.Builder) bool {
	if !d.More() {
		return false
	}
	switch c := d.b[d.off]; {
	case d.Null():
		out.WriteString("null")
	case c&0xe0 == majorUint:
		out.WriteString(strconv.FormatUint(d.Uint(MaxUint), 10))
	case c&0xe0 == majorText:
		out.WriteString(strconv.Quote(d.Text(0, len(d.b))))
	case c&0xe0 == majorBytes:
		out.WriteString("h'" + hex.EncodeToString(d.Bytes(0, len(d.b))) + "'")
	case c&0xe0 == majorArray:
		out.WriteByte('[')
		for i := range d.Array(0, len(d.b)) {
			if i > 0 {
				out.WriteString(", ")
			}
			if !d.diagnostic(out) {
				return false
			}
		}
		out.WriteByte(']')
	default:
		return false
	}
	return d.err == nil
}
