package release

import (
	"fmt"
	"strings"

	"parley"
)

// DemoMark stands before what a demonstration's roster released.
const DemoMark = "DEMO DEMO DEMO: the keys lay with the node; "

// Words is the status as a stranger's program says it, in one line: by whose
// keys, under which roster, or in the desk's own words why not. A
// demonstration's roster is named as such before anything else.
func (s Status) Words() string {
	if s.State != Held {
		return s.String()
	}
	demo := ""
	if s.Demo {
		demo = DemoMark
	}
	return fmt.Sprintf("%sreleased by two keys: drafted by %s, released by %s, roster %s", demo, quote(s.Drafted.Title), quote(s.Released.Title), s.Roster.Long())
}

// quote puts a title between quotation marks that it cannot close itself.
func quote(title string) string {
	return "“" + strings.NewReplacer("“", "<U+201C>", "”", "<U+201D>").Replace(title) + "”"
}

// FormatEntry prints one entry of this desk in words, by itself. Whether a
// RELEASE holds is told with the entry that it speaks for. It fails for a kind
// that is not this desk's, and for an entry that breaks one of its rules.
func FormatEntry(r parley.Ref, e *parley.Entry) (string, error) {
	body, err := Parse(e.Kind, e.Body)
	if err == nil {
		err = body.CheckIn(r.Party, r.Lane, e.To)
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	switch x := body.(type) {
	case *Release:
		next := r
		next.Index++
		fmt.Fprintf(&b, "RELEASE %s says that two keys released the entry behind it, %s\n", r, next.Long())
		fmt.Fprintf(&b, "DRAFT   %s\nROSTER  %s\nKEYS    %s drafted, %s released\n", x.Digest.Short(), x.Roster.Long(), x.Drafted.Key.Short(), x.Released.Key.Short())
	case *Roster:
		if x.Demo {
			b.WriteString("DEMO DEMO DEMO\n")
		}
		fmt.Fprintf(&b, "ROSTER  %s, of serial %d, names the keys of its author's officers\nHOST    %q\n", r, x.Serial, x.RPID)
		for i := range x.Keys {
			k := &x.Keys[i]
			var may []string
			for _, s := range []Step{StepDraft, StepRelease} {
				if k.Functions.Allows(s) {
					may = append(may, s.String())
				}
			}
			fmt.Fprintf(&b, "KEY     %s (%s) of %s, may %s\n", k.ID().Short(), k.Alg, quote(k.Title), strings.Join(may, " and "))
		}
		if x.Demo {
			b.WriteString("DEMO DEMO DEMO\n")
		}
	}
	return b.String(), nil
}
