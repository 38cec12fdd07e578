package spec

import (
	"fmt"
	"strconv"
	"strings"

	"parley"
	"parley/journal"
)

// The receipts page's parameter op says what the input is: line (a head with
// one line, to be checked as signer's, who has the key) or time (a set of
// cosignatures, and what it proves of the entry at index).
func init() {
	runners["receipts"] = func(v *Vector) error {
		p := &params{v: v}
		run := map[string]func(*Vector, *params) error{"line": lineVector, "time": timeVector}[v.Params["op"]]
		if run == nil {
			return fmt.Errorf("op %q", v.Params["op"])
		}
		err := run(v, p)
		if p.err != nil {
			return p.err
		}
		return err
	}
}

func lineVector(v *Vector, p *params) error {
	n, err := journal.ParseCheckpoint(v.Input)
	if err != nil {
		return err
	}
	log, err := parley.ParseOrigin(n.Origin)
	if err != nil {
		return err
	}
	if len(n.Lines) == 0 {
		return parley.Errorf(journal.CodeCheckpoint, "there is no line")
	}
	key := p.bytes("key", 0)
	c := &parley.Charter{}
	for i := range 3 {
		c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1), Keys: &parley.Keys{}})
	}
	author := &parley.Keys{}
	if m := c.Member(log.Party); m != nil {
		author = m.Keys
	}
	who, name, _ := strings.Cut(v.Params["signer"], " ")
	switch who {
	case "author":
		author.LogPQ = key
	case "member":
		i, err := strconv.Atoi(name)
		if err != nil || i < 1 || i > 3 {
			return fmt.Errorf("signer %q", v.Params["signer"])
		}
		if k := c.Members[i-1].Keys; len(key) == parley.SizeEd {
			k.RcptEd = key
		} else {
			k.RcptPQ = key
		}
	case "witness":
		c.Witnesses = []parley.Witness{{Name: name, Ed: key}}
	}
	_, err = journal.NewKeyring(c, log.Channel).VerifyLine(n, n.Lines[0], author)
	return err
}

func timeVector(v *Vector, p *params) error {
	c := &parley.Charter{Rules: parley.Rules{Quorum: strings.ReplaceAll(v.Params["quorum"], "/", "\n")}}
	for _, name := range strings.Fields(v.Params["witnesses"]) {
		c.Witnesses = append(c.Witnesses, parley.Witness{Name: name})
	}
	var cs []journal.Cosig
	for _, line := range strings.Split(strings.TrimSuffix(string(v.Input), "\n"), "\n") {
		var x journal.Cosig
		var kind string
		if _, err := fmt.Sscanf(line, "%s %d %d %s", &x.Name, &x.Size, &x.Time, &kind); err != nil {
			return err
		}
		x.PQ = kind == "pq"
		cs = append(cs, x)
	}
	got := "none"
	if t, ok := journal.Witnessed(c, cs, p.uint("index")); ok {
		got = strconv.FormatUint(t, 10)
	}
	if want := v.Params["not-after"]; got != want {
		return fmt.Errorf("not after %s, want %s", got, want)
	}
	return nil
}
