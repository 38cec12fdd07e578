package parley

import (
	"strconv"
	"strings"
)

// Quorum is a charter's rule for when a head counts as witnessed: the group
// and quorum lines of a C2SP tlog-policy, over the charter's witnesses.
//
//	group two-of-three 2 north south sea
//	quorum two-of-three
//
// A threshold is a number, "any" or "all". "quorum none" is always met.
type Quorum struct {
	groups map[string]quorumGroup
	root   string // "none", a witness or a group
}

type quorumGroup struct {
	need    int
	members []string
}

// Quorum reads the charter's quorum rule.
func (c *Charter) Quorum() (*Quorum, error) {
	q := &Quorum{groups: map[string]quorumGroup{}}
	names := map[string]bool{}
	for _, w := range c.Witnesses {
		names[w.Name] = true
	}
	used := map[string]bool{}
	bad := func(line string, why string) error {
		return Errorf(CodeQuorum, "quorum rule %q: %s", line, why)
	}
	text, ok := strings.CutSuffix(c.Rules.Quorum, "\n")
	if !ok {
		return nil, bad(c.Rules.Quorum, "the last line does not end")
	}
	for _, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if strings.Join(f, " ") != line || len(f) == 0 {
			return nil, bad(line, "fields are separated by one space")
		}
		if q.root != "" {
			return nil, bad(line, "the quorum line is the last")
		}
		switch {
		case f[0] == "group" && len(f) >= 4:
			name, members := f[1], f[3:]
			if names[name] || name == "none" || CheckName(name) != nil {
				return nil, bad(line, "the name is taken or is not a name")
			}
			need := 0
			switch f[2] {
			case "any":
				need = 1
			case "all":
				need = len(members)
			default:
				n, err := strconv.Atoi(f[2])
				if err != nil || n < 1 || n > len(members) || strconv.Itoa(n) != f[2] {
					return nil, bad(line, "the threshold is any, all or 1 to the number of members")
				}
				need = n
			}
			for _, m := range members {
				if !names[m] {
					return nil, bad(line, m+" is neither a witness of the charter nor an earlier group")
				}
				if used[m] {
					return nil, bad(line, m+" is used twice")
				}
				used[m] = true
			}
			names[name] = true
			q.groups[name] = quorumGroup{need, members}
		case f[0] == "quorum" && len(f) == 2:
			if f[1] != "none" && !names[f[1]] {
				return nil, bad(line, f[1]+" is neither a witness of the charter nor a group")
			}
			q.root = f[1]
		default:
			return nil, bad(line, "a line is a group or the quorum")
		}
	}
	if q.root == "" {
		return nil, bad(text, "there is no quorum line")
	}
	return q, nil
}

// None reports whether the rule asks for no witness.
func (q *Quorum) None() bool { return q.root == "none" }

// Met reports whether the witnesses for which has is true satisfy the rule.
func (q *Quorum) Met(has func(witness string) bool) bool {
	return q.root == "none" || q.met(q.root, has)
}

func (q *Quorum) met(name string, has func(string) bool) bool {
	g, ok := q.groups[name]
	if !ok {
		return has(name)
	}
	n := 0
	for _, m := range g.members {
		if q.met(m, has) {
			n++
		}
	}
	return n >= g.need
}
