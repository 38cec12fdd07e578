package spec

import (
	"fmt"

	"parley"
)

// The charter page's parameters: form (charter or signed), channel (the hash
// that must come out), in-force (whether all signatures must be there).
func init() {
	runners["charter"] = func(v *Vector) error {
		if v.Params["form"] == "signed" {
			s, c, err := parley.ParseSignedCharter(v.Input)
			if err != nil {
				return err
			}
			if missing := s.Missing(c); v.Params["in-force"] == "true" && len(missing) > 0 {
				return parley.Errorf(parley.CodeUnsigned, "members %v have not signed", missing)
			}
			return nil
		}
		c, err := parley.ParseCharter(v.Input)
		if err != nil {
			return err
		}
		if want := v.Params["channel"]; want != "" && c.Channel().String() != want {
			return fmt.Errorf("channel %s, want %s", c.Channel(), want)
		}
		return nil
	}
}
