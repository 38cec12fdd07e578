package spec

import (
	"fmt"
	"strconv"

	"parley"
)

// The entry page's parameters: lane, and for the rules that need the channel,
// author and members (how many).
func init() {
	runners["entry"] = func(v *Vector) error {
		lane, err := strconv.Atoi(v.Params["lane"])
		if err != nil {
			return err
		}
		e, err := parley.ParseEntry(v.Input)
		if err != nil {
			return err
		}
		if m := v.Params["members"]; m != "" {
			var n, author int
			if _, err := fmt.Sscan(m+" "+v.Params["author"], &n, &author); err != nil {
				return err
			}
			c := &parley.Charter{}
			for i := range n {
				c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1)})
			}
			if err := e.To.CheckIn(c, parley.Party(author)); err != nil {
				return err
			}
		}
		if err := e.Check(parley.Lane(lane)); err != nil {
			return err
		}
		return e.CheckBody()
	}
}
