package journal

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"parley"
)

// Status says how far a line of a report may be relied on.
type Status string

const (
	Basis   Status = "BASIS"      // what everything else rests on
	Proved  Status = "PROVED"     // follows from hashes and signatures under the charter
	Claimed Status = "CLAIMED"    // somebody says so; nothing proves it
	Missing Status = "MISSING"    // the file does not hold it
	Flagged Status = "FLAGGED"    // in the record, but not as it should be
	Forked  Status = "FORK"       // a party signed two histories: proved
	Limit   Status = "NOT PROVED" // what nobody can conclude from the file
	Total   Status = "TOTAL"      // the last line
)

// Finding is one line of a report.
type Finding struct {
	Status       Status
	SelfAsserted bool          // the caller named no channel
	Log          *parley.LogID // nil for a line about the whole file
	Entry        *uint64       // index; nil for a line about the whole log
	Text         string
	Type         string  // of traffic, such as "exercise"; empty where it is not known
	Words        string  // what an author wrote, in lines for people; empty for most findings
	Body         string  // the body of a disclosed entry in diagnostic notation; empty for all other findings
	NotAfter     uint64  // upper bound proved by the witness quorum, 0 if none
	Counts       *Counts // with Total only
}

// MarshalJSON writes the line for programs, the log as its origin.
func (l Finding) MarshalJSON() ([]byte, error) {
	v := struct {
		Status       Status  `json:"status"`
		SelfAsserted bool    `json:"self_asserted,omitempty"`
		Log          string  `json:"log,omitempty"`
		Entry        *uint64 `json:"entry,omitempty"`
		NotAfter     uint64  `json:"not_after,omitempty"`
		Text         string  `json:"text"`
		Type         string  `json:"type,omitempty"`
		Words        string  `json:"words,omitempty"`
		Body         string  `json:"body,omitempty"`
		Counts       *Counts `json:"counts,omitempty"`
	}{l.Status, l.SelfAsserted, "", l.Entry, l.NotAfter, l.Text, l.Type, l.Words, l.Body, l.Counts}
	if l.Log != nil {
		v.Log = l.Log.Origin()
	}
	return json.Marshal(v)
}

// Counts sums a report up.
type Counts struct {
	Exporter      parley.Party `json:"exporter,omitempty"`
	Logs          uint64       `json:"logs"`
	Entries       uint64       `json:"entries"`
	Opened        uint64       `json:"opened"`
	Receipts      uint64       `json:"receipts"`
	Seals         uint64       `json:"seals"`
	Witnessed     uint64       `json:"witnessed"` // entries whose time a quorum bounds
	WitnessCosigs uint64       `json:"witness_cosignatures"`
	Malformed     uint64       `json:"malformed"`
	Forks         uint64       `json:"forks"`
	LogsAbsent    uint64       `json:"logs_absent"`
	LogsShorter   uint64       `json:"logs_shorter"`
}

func (l Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s ", l.Status)
	if l.SelfAsserted {
		b.WriteString("SELF-ASSERTED  ")
	}
	if l.Log != nil {
		fmt.Fprintf(&b, "%s", l.Log)
		if l.Entry != nil {
			fmt.Fprintf(&b, " entry %d", *l.Entry)
		}
		b.WriteString(": ")
	}
	b.WriteString(l.Text)
	for line := range strings.Lines(l.Words + l.Body) { // indented: no word may look like a line of the report
		for _, part := range wrapped(strings.TrimSuffix(line, "\n")) {
			b.WriteString("\n           ")
			b.WriteString(part)
		}
	}
	return b.String()
}

// wrapped cuts a line into parts that a terminal of 80 columns does not wrap to
// its first column, at a space where there is one.
func wrapped(line string) (parts []string) {
	const most = 68
	for rs := []rune(line); ; {
		if len(rs) <= most {
			return append(parts, string(rs))
		}
		at := most
		for at > most/2 && rs[at] != ' ' {
			at--
		}
		if rs[at] != ' ' {
			at = most
		}
		parts, rs = append(parts, string(rs[:at])), rs[at:]
	}
}

// reporter hands lines on with what they have in common.
type reporter struct {
	selfAsserted bool
	to           func(Finding)
	charter      *parley.Charter
}

func (r *reporter) line(l Finding) {
	l.SelfAsserted = r.selfAsserted
	if r.to != nil {
		r.to(l)
	}
}

func (r *reporter) file(s Status, format string, args ...any) {
	r.line(Finding{Status: s, Text: fmt.Sprintf(format, args...)})
}

func (r *reporter) log(s Status, log *parley.LogID, format string, args ...any) {
	r.line(Finding{Status: s, Log: log, Text: fmt.Sprintf(format, args...)})
}

func (r *reporter) entry(s Status, log *parley.LogID, index uint64, format string, args ...any) {
	r.line(Finding{Status: s, Log: log, Entry: &index, Text: fmt.Sprintf(format, args...)})
}

// member names a member for people.
func (r *reporter) member(p parley.Party) string {
	if m := r.charter.Member(p); m != nil {
		return fmt.Sprintf("%s (member %d)", m.Name, p)
	}
	return fmt.Sprintf("member %d", p)
}

func (r *reporter) members(a parley.Audience) string {
	switch a {
	case parley.ToAll:
		return "all members"
	case parley.ToNobody:
		return "nobody yet"
	}
	if a.Check() != nil {
		return fmt.Sprintf("the invalid audience %#x", uint32(a))
	}
	var s []string
	for _, p := range a.Parties() {
		s = append(s, r.member(p))
	}
	return strings.Join(s, ", ")
}

// basis is the first lines of every report.
func (r *reporter) basis(ch parley.Hash) {
	names := make([]string, len(r.charter.Members))
	for i, m := range r.charter.Members {
		names[i] = fmt.Sprintf("%d %s (%s)", m.Index, m.Name, m.Role)
	}
	r.file(Basis, "channel %s, charter %q, signed by every member with both root keys: %s", ch, r.charter.Name, strings.Join(names, ", "))
	if r.selfAsserted {
		r.file(Basis, "nobody told this program which channel is meant: the file vouches for its own charter; name the channel to check against it")
	} else {
		r.file(Basis, "the channel is the one that you named")
	}
}

// utc writes a protocol time for people.
func utc(t uint64) string {
	if t > 253402300799 { // the year 9999
		return fmt.Sprintf("%d s after 1970", t)
	}
	return time.Unix(int64(t), 0).UTC().Format("2006-01-02 15:04:05Z")
}

// entries names a range of entries; to is excluded.
func entries(from, to uint64) string {
	if to == from+1 {
		return fmt.Sprintf("entry %d", from)
	}
	return fmt.Sprintf("entries %d to %d", from, to-1)
}

var kindNames = map[parley.Kind]string{
	parley.KindText: "TEXT", parley.KindAnswer: "ANSWER", parley.KindKeys: "KEYS", parley.KindList: "LIST",
	parley.KindOpening: "OPENING", parley.KindNotice: "NOTICE", parley.KindGeneration: "GENERATION",
	parley.KindManifest: "MANIFEST", parley.KindRootKeys: "ROOTKEYS", parley.KindClosing: "CLOSING",
}

func kindName(k parley.Kind) string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("kind %d", k)
}
