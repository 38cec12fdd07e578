package spec

import (
	"strconv"

	"parley"
	"parley/hotline"
)

// The hotline page's parameters: kind, and author, lane and to of the entry
// where they are not member 1, FLASH and all. The channel has four members.
func init() {
	runners["hotline"] = func(v *Vector) error {
		par := func(key string, def uint64) (uint64, error) {
			s, ok := v.Params[key]
			if !ok {
				return def, nil
			}
			return strconv.ParseUint(s, 10, 32)
		}
		kind, err := par("kind", 0)
		if err != nil {
			return err
		}
		author, err := par("author", 1)
		if err != nil {
			return err
		}
		lane, err := par("lane", 0)
		if err != nil {
			return err
		}
		to, err := par("to", 0)
		if err != nil {
			return err
		}
		c := &parley.Charter{}
		for i := range 4 {
			c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1)})
		}
		b, err := hotline.Parse(parley.Kind(kind), v.Input)
		if err != nil {
			return err
		}
		return b.CheckIn(c, parley.Party(author), parley.Lane(lane), parley.Audience(to))
	}
}
