package journaltest

import (
	"maps"
	"slices"

	"parley"
)

// Clone is a copy of the store that shares nothing which either may change: an
// image of the disk, or, without the secret values, what a backup holds.
func (m *Mem) Clone(secrets bool) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &Mem{logs: make(map[parley.LogID]*memLog, len(m.logs)), values: make(map[string]map[string][]byte, len(m.values)),
		secret: map[[2]string]bool{}}
	for id, l := range m.logs {
		x := *l
		x.rows, x.hashes, x.cosigs = slices.Clone(l.rows), slices.Clone(l.hashes), slices.Clone(l.cosigs)
		c.logs[id] = &x
	}
	for space, vs := range m.values {
		vs = maps.Clone(vs)
		for key := range vs {
			switch k := [2]string{space, key}; {
			case m.secret[k] && secrets:
				c.secret[k] = true
			case m.secret[k]:
				delete(vs, key)
			}
		}
		c.values[space] = vs
	}
	return c
}
