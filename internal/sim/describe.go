package sim

import (
	"fmt"
	"strings"

	"parley/frame"
	"parley/journal"
)

// describe is a frame as a trace shows it.
func describe(x letter) string {
	f, err := frame.Decode(x.frame)
	if err != nil {
		return fmt.Sprintf("%d bytes that are no frame", len(x.frame))
	}
	s := what(f)
	if x.bulk {
		s += ", bulk"
	}
	return s
}

func what(f frame.Frame) string {
	switch f := f.(type) {
	case *frame.Entry:
		return fmt.Sprintf("ENTRY %s %d", f.Lane, f.Index)
	case *frame.Blind:
		return fmt.Sprintf("BLIND of %d %s %d", f.Author, f.Lane, f.Index)
	case *frame.Clear:
		return fmt.Sprintf("CLEAR of %d %s %s %d", f.Author, f.Lane, f.Gen, f.Index)
	case *frame.Open:
		return fmt.Sprintf("OPEN of %d %s %s %d", f.Author, f.Lane, f.Gen, f.Index)
	case *frame.Receipt:
		return fmt.Sprintf("RECEIPT of %d, %s, log %04x size %d", f.Cosigner, f.Lane, f.Hint, f.Size)
	case *frame.Grant:
		return fmt.Sprintf("GRANT of %d to %d", f.Author, f.Recipient)
	case *frame.Heads:
		c, err := journal.ParseCheckpoint(f.Note)
		if err != nil {
			return "HEADS that do not parse"
		}
		return fmt.Sprintf("HEADS %s size %d, %d lines", c.Origin[strings.IndexByte(c.Origin[7:], '/')+8:], c.Size, len(c.Lines))
	case *frame.Have:
		var b strings.Builder
		fmt.Fprintf(&b, "HAVE %d keys", len(f.Keys))
		for _, h := range f.Heads {
			fmt.Fprintf(&b, " %d/%d/%.4s:%d", h.Party, h.Lane, h.Gen, h.Size)
		}
		return b.String()
	case *frame.Want:
		var b strings.Builder
		b.WriteString("WANT")
		for _, i := range f.Items {
			fmt.Fprintf(&b, " %d/%d/%.4s %d-%d form %d reason %d", i.Party, i.Lane, i.Gen, i.First, i.Last, i.Form, i.Reason)
		}
		return b.String()
	case *frame.Ping:
		if f.Pong {
			return "PONG"
		}
		return "PING"
	}
	return fmt.Sprintf("%T", f)
}
