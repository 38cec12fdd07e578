package journal

import (
	"slices"

	"parley"
)

// sigCheck is a cosignature with the root that it must be over.
type sigCheck struct {
	log  *logCheck
	c    fileCosig
	root parley.Hash
	err  error
}

// signatures verifies cosignatures. One that does not fit is held back until
// the log's end, where the root tells whether it or the entries are wrong;
// hurt says that its section is damaged, so that it is certainly itself.
func (v *verifier) signatures(sigs []*sigCheck, hurt bool) error {
	var jobs []func()
	for part := range slices.Chunk(sigs, 16) {
		jobs = append(jobs, func() {
			for _, s := range part {
				c := Cosig{Log: s.log.log, Size: s.c.size, Name: v.keys.signerName(s.log.log, s.c.signer), PQ: s.c.pq, Cosignature: s.c.Cosignature}
				_, s.err = v.keys.verifySigner(s.c.signer, &c, s.root, s.log.keys)
			}
		})
	}
	v.run(jobs)
	for _, s := range sigs {
		l := s.log
		switch {
		case s.err != nil && hurt:
			return s.err
		case s.err != nil:
			if l.sigErr == nil {
				l.sigErr, l.badSize = s.err, s.c.size
			}
		case v.Now != 0 && s.c.Time > v.Now+30:
			l.late++
		default:
			l.marks = append(l.marks, mark{s.c.size, s.c.Time, uint8(s.c.signer), s.c.pq})
			if l.sigErr == nil {
				l.good = s.c.size
			}
		}
	}
	return nil
}
