package parley

import "testing"

func TestDiagnostic(t *testing.T) {
	b := AppendArray(nil, 4)
	b = AppendUint(b, 1)
	b = AppendText(b, "ہدایت \"x\"")
	b = AppendArray(b, 1)
	b = AppendBytes(b, []byte{0, 255})
	b = AppendNull(b)
	if got, ok := Diagnostic(b); !ok || got != `[1, "ہدایت \"x\"", [h'00ff'], null]` {
		t.Errorf("%q %v", got, ok)
	}
	for _, bad := range []string{"", "\xff", "\x18\x01", "\x01\x02", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "\x81"} {
		if s, ok := Diagnostic([]byte(bad)); ok {
			t.Errorf("%x passed as %q", bad, s)
		}
	}
}
