package parley

import "time"

// Draft is what a member wants to say: an entry without its time and without
// the heads it will cite. Desks build drafts and check them; the station turns
// a draft that was released into an entry.
type Draft struct {
	Lane Lane
	Kind Kind
	To   Audience
	Body []byte // canonical, in the format of Kind
}

// Entry is the draft as an entry of the given time that cites the given heads.
func (d Draft) Entry(now time.Time, seen []Head) *Entry {
	return &Entry{Kind: d.Kind, To: d.To, Time: uint64(max(now.Unix(), 0)), Seen: seen, Body: d.Body}
}

// Readers spells out to whom an entry by author with audience a is addressed:
// the set of its members, empty for ToNobody.
func (c *Charter) Readers(author Party, a Audience) Audience {
	switch a {
	case ToAll:
		return AudienceOf(c.Others(author)...)
	case ToNobody:
		return 0
	}
	return a
}

// Address is the one permitted form of an audience that Readers spells out:
// all others are written ToAll, none is ToNobody. The author is left out.
func (c *Charter) Address(author Party, readers Audience) Audience {
	readers &^= 1 << author
	switch readers {
	case 0:
		return ToNobody
	case AudienceOf(c.Others(author)...):
		return ToAll
	}
	return readers
}
