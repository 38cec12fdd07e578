package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parley"
	"parley/internal/control"
	"parley/internal/host"
	"parley/internal/witness"
	"parley/seal"
)

type charterCmd struct {
	Draft  charterDraft  `cmd:"" help:"Write a charter to be signed."`
	Show   charterShow   `cmd:"" help:"Show what a charter file says and who has signed it."`
	Sign   charterSign   `cmd:"" help:"Sign a charter with this party's root."`
	Join   charterJoin   `cmd:"" help:"Gather the signatures of several copies of one charter."`
	Accept charterAccept `cmd:"" help:"Put a charter that all members signed into force here."`
	Close  charterClose  `cmd:"" help:"Close this channel in favour of its successor."`
}

type charterDraft struct {
	Out       string        `arg:"" type:"path" help:"The file to write."`
	Name      string        `required:"" help:"The channel's name."`
	Member    []string      `required:"" placeholder:"CARD[,ROLE]" sep:"none" help:"A member's card, with its role: party (default), mediator or observer. Repeat in the order agreed (alphabetical, if nothing else is)."`
	Witness   []string      `placeholder:"FILE|VKEY" sep:"none" help:"A witness's verifier keys: a file of lines, or one line. Repeat."`
	Quorum    string        `help:"When a head counts as witnessed: any, all, none, or group and quorum lines of a tlog-policy." default:"all"`
	Window    time.Duration `default:"168h" help:"Life of a key for messages."`
	Grace     time.Duration `default:"48h" help:"How long such a key is kept after its window."`
	Heartbeat time.Duration `default:"60s" help:"Longest silence of a live line."`
	Prev      string        `type:"existingdir" placeholder:"DIR" help:"The charter succeeds the channel of this party's running node, and accepts the heads it holds as final."`
	SignBy    string        `placeholder:"TIME" help:"Until when it may be signed, such as 2026-12-01T00:00:00Z."`
}

func (c *charterDraft) Help() string {
	return `A charter fixes a channel's members, their keys, its witnesses and its rules.
It is signed by every member and never changed; a change is a new charter.

Example:
  parley charter draft line.charter --name "Military operations" \
    --member india.card --member pakistan.card --member saudi.card,mediator \
    --witness monitor.vkey`
}

func (c *charterDraft) Run(e *env) error {
	if len(c.Member) < 2 {
		return parley.Errorf(parley.CodeMembers, "a charter has two members or more; name each with --member")
	}
	ch := &parley.Charter{Name: c.Name, Rules: parley.DefaultRules()}
	for i, arg := range c.Member {
		path, roleName, _ := strings.Cut(arg, ",")
		role := parley.RoleParty
		if roleName != "" {
			var err error
			if role, err = parley.ParseRole(roleName); err != nil {
				return err
			}
		}
		card, err := loadCard(path)
		if err != nil {
			return err
		}
		ch.Members = append(ch.Members, parley.Member{Index: parley.Party(i + 1), Role: role, Name: card.Name,
			RootEd: card.RootEd, RootPQ: card.RootPQ, Keys: card.Keys})
	}
	vkeys, err := vkeyLines(c.Witness)
	if err != nil {
		return err
	}
	for _, line := range vkeys {
		name, typ, key, err := witness.ParseVKey(line)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(ch.Witnesses, func(w parley.Witness) bool { return w.Name == name })
		if i < 0 {
			ch.Witnesses = append(ch.Witnesses, parley.Witness{Name: name})
			i = len(ch.Witnesses) - 1
		}
		if typ == witness.TypePQ {
			ch.Witnesses[i].PQ = key
		} else {
			ch.Witnesses[i].Ed = key
		}
	}
	ch.Rules.Quorum = quorumRule(c.Quorum, ch.Witnesses)
	if err := notNegative(c.Window, c.Grace, c.Heartbeat); err != nil {
		return err
	}
	ch.Rules.Window = uint64(c.Window / time.Second)
	ch.Rules.Prepos = ch.Rules.Window
	ch.Rules.KemMax = max(ch.Rules.KemMax, 2*ch.Rules.Window)
	ch.Rules.Grace = uint64(c.Grace / time.Second)
	ch.Rules.Heartbeat = uint64(c.Heartbeat / time.Second)
	if c.Prev != "" {
		var err error
		if ch.Prev, ch.Finals, err = finals(e, c.Prev); err != nil {
			return err
		}
	}
	if c.SignBy != "" {
		t, err := time.Parse(time.RFC3339, c.SignBy)
		if err != nil {
			return parley.Errorf(parley.CodeOutOfRange, "--sign-by %q is not a time such as 2026-12-01T00:00:00Z", c.SignBy)
		}
		ch.SignBy = uint64(max(t.Unix(), 0))
	}
	if err := ch.Check(); err != nil {
		return err
	}
	s := &parley.SignedCharter{Charter: ch.Encode()}
	if _, _, err := parley.ParseSignedCharter(s.Encode()); err != nil {
		return err
	}
	if err := writeNew(c.Out, s.Encode()); err != nil {
		return err
	}
	e.printf("%s\n", charterText(s, ch))
	e.printf("Each member now signs it: parley charter sign %s --dir DIR\n", c.Out)
	return nil
}

// vkeyLines gives the verifier keys that are named, reading those in files. A
// key has two plus signs before its base64, a file's name hardly ever.
func vkeyLines(args []string) (lines []string, err error) {
	for _, arg := range args {
		if strings.Count(arg, "+") >= 2 {
			lines = append(lines, arg)
			continue
		}
		b, err := os.ReadFile(arg)
		if err != nil {
			return nil, parley.Errorf(host.CodeFile, "%w", err)
		}
		lines = append(lines, strings.Fields(string(b))...)
	}
	return lines, nil
}

// quorumRule spells out the short forms.
func quorumRule(q string, ws []parley.Witness) string {
	if len(ws) == 0 && q == "all" || q == "none" {
		return "quorum none\n"
	}
	if q != "any" && q != "all" {
		return strings.TrimSuffix(q, "\n") + "\n"
	}
	if len(ws) == 1 {
		return "quorum " + ws[0].Name + "\n"
	}
	names := make([]string, len(ws))
	for i, w := range ws {
		names[i] = w.Name
	}
	return "group witnesses " + q + " " + strings.Join(names, " ") + "\nquorum witnesses\n"
}

// writeNew writes a file that must not exist.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return parley.Errorf(host.CodeExists, "%s exists", path)
	}
	if err == nil {
		_, err = f.Write(b)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return parley.Errorf(host.CodeFile, "%w", err)
	}
	return nil
}

// charterText says what a charter says, for an officer who must agree to it.
func charterText(s *parley.SignedCharter, c *parley.Charter) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Charter   %s\nChannel   %s\nWords     %s\n", c.Name, s.Channel(), channelWords(s))
	if c.Prev != nil {
		fmt.Fprintf(&b, "Succeeds  %s, of which %d heads are final\n", c.Prev, len(c.Finals))
	}
	missing := s.Missing(c)
	for _, m := range c.Members {
		state := "signed"
		if slices.Contains(missing, m.Index) {
			state = "not signed"
		}
		fmt.Fprintf(&b, "Member %-2d %s, %s: %s\n", m.Index, m.Name, m.Role, state)
	}
	for _, w := range c.Witnesses {
		fmt.Fprintf(&b, "Witness   %s\n", w.Name)
	}
	for _, line := range strings.Split(strings.TrimSpace(c.Rules.Quorum), "\n") {
		fmt.Fprintf(&b, "Quorum    %s\n", line)
	}
	fmt.Fprintf(&b, "Rules     keys live %s and are kept %s more, heartbeat %s, entries up to %d bytes\n",
		span(c.Rules.Window), span(c.Rules.Grace), span(c.Rules.Heartbeat), c.Rules.MaxEntry)
	if c.SignBy > 0 {
		fmt.Fprintf(&b, "Sign by   %s\n", time.Unix(int64(c.SignBy), 0).UTC().Format(time.RFC3339))
	}
	return b.String()
}

// span writes seconds in their greatest whole unit.
func span(s uint64) string {
	for _, u := range []struct {
		of   uint64
		name string
	}{{86400, "days"}, {3600, "hours"}, {60, "minutes"}} {
		if s >= 2*u.of && s%u.of == 0 {
			return fmt.Sprint(s/u.of, " ", u.name)
		}
	}
	return fmt.Sprint(s, " seconds")
}

func channelWords(s *parley.SignedCharter) string {
	ch := s.Channel()
	return seal.Words(ch[:])
}

// codeNotCharter means that a file has not the form of a charter.
const codeNotCharter parley.Code = "not-a-charter"

var _ = parley.RegisterCodes(map[parley.Code]string{
	codeNotCharter: "Give the file of a charter. If this was one, it was damaged on the way: ask its sender for it again.",
})

type charterShow struct {
	File string `arg:"" type:"existingfile" help:"The charter file."`
}

func (c *charterShow) Help() string { return "Example:\n  parley charter show line.charter" }

func (c *charterShow) Run(e *env) error {
	s, ch, err := loadCharter(c.File)
	if err != nil {
		return err
	}
	e.printf("%s", charterText(s, ch))
	return nil
}

func loadCharter(path string) (*parley.SignedCharter, *parley.Charter, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, parley.Errorf(host.CodeFile, "%w", err)
	}
	s, c, err := parley.ParseSignedCharter(b)
	switch parley.CodeOf(err) {
	case "":
		return s, c, nil
	case parley.CodeTruncated, parley.CodeNotCanonical, parley.CodeType, parley.CodeOutOfRange, parley.CodeLength,
		parley.CodeUTF8, parley.CodeTrailing, parley.CodeNotSorted, parley.CodeDepth, parley.CodeTooLarge:
		return nil, nil, parley.Errorf(codeNotCharter, "%s is not a charter: %w", path, err)
	}
	return nil, nil, inFile(path, err)
}

type charterSign struct {
	dir
	secret
	File string `arg:"" type:"existingfile" help:"The charter file; the signature is added to it."`
	Root string `type:"existingfile" placeholder:"FILE" help:"The root key file, if it is not in the directory."`
}

func (c *charterSign) Help() string {
	return `Adds this party's signature, by both root keys, to the charter file. Read the
charter first (parley charter show) and compare its words with the others.

Example:
  parley charter sign line.charter --dir india`
}

func (c *charterSign) Run(e *env) error {
	s, ch, err := loadCharter(c.File)
	if err != nil {
		return err
	}
	pass, err := c.read(e, false)
	if err != nil {
		return err
	}
	path := c.Root
	if path == "" {
		path = filepath.Join(c.Dir, "root.key")
	}
	root, err := host.OpenRoot(path, pass)
	if err != nil {
		return err
	}
	for _, m := range ch.Members {
		if slices.Equal(m.RootEd, root.EdPublic()) && slices.Equal(m.RootPQ, root.PQPublic()) {
			if ch.SignBy != 0 && uint64(time.Now().Unix()) > ch.SignBy {
				return parley.Errorf(parley.CodeUnsigned, "the time to sign this charter has passed")
			}
			s.Add(root.SignCharter(s.Channel(), m.Index))
			if err := replace(c.File, s.Encode()); err != nil {
				return err
			}
			e.printf("%s", charterText(s, ch))
			return nil
		}
	}
	return parley.Errorf(parley.CodeMembers, "this root belongs to no member of the charter")
}

// replace writes a file beside the old one and takes its place.
func replace(path string, b []byte) error {
	tmp := path + ".new"
	os.Remove(tmp)
	if err := writeNew(tmp, b); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return parley.Errorf(host.CodeFile, "%w", err)
	}
	return nil
}

type charterJoin struct {
	Out   string   `arg:"" type:"path" help:"The file to write."`
	Files []string `arg:"" type:"existingfile" help:"Copies of the charter, each with some signatures."`
}

func (c *charterJoin) Help() string {
	return `Example:
  parley charter join line.signed india-copy.charter pakistan-copy.charter`
}

func (c *charterJoin) Run(e *env) error {
	var all *parley.SignedCharter
	var charter *parley.Charter
	for _, f := range c.Files {
		s, ch, err := loadCharter(f)
		if err != nil {
			return err
		}
		if all == nil {
			all, charter = s, ch
		}
		if s.Channel() != all.Channel() {
			return parley.Errorf(parley.CodeMembers, "%s is another charter", f)
		}
		for _, g := range s.Sigs {
			all.Add(g)
		}
	}
	if err := writeNew(c.Out, all.Encode()); err != nil {
		return err
	}
	e.printf("%s", charterText(all, charter))
	return nil
}

type charterAccept struct {
	dir
	File string `arg:"" type:"existingfile" help:"The charter file with all signatures."`
	Late bool   `help:"You vouch that signatures which arrived after the time to sign were given in time."`
}

func (c *charterAccept) Help() string {
	return `Example:
  parley charter accept line.charter --dir india`
}

func (c *charterAccept) Run(e *env) error {
	s, _, err := loadCharter(c.File)
	if err != nil {
		return err
	}
	ch, err := host.Accept(c.Dir, s.Encode(), uint64(time.Now().Unix()), c.Late)
	if err != nil {
		return err
	}
	_, _, me, err := host.LoadCharter(c.Dir)
	if err != nil {
		return err
	}
	e.printf("The charter %q is in force in %s.\nNow say in %s where the others are, and run the node: parley serve --dir %s\n",
		ch.Name, c.Dir, filepath.Join(c.Dir, "config"), c.Dir)
	e.printf("The lines of that file:\n  listen HOST:PORT\n")
	for _, m := range ch.Members {
		if m.Index != me {
			e.printf("  peer %s HOST:PORT\n", m.Name)
		}
	}
	for _, w := range ch.Witnesses {
		e.printf("  witness %s URL\n", w.Name)
	}
	return nil
}

// finals asks a running node for its channel and the heads it holds.
func finals(e *env, dir string) (*parley.Hash, []parley.Head, error) {
	var s control.Status
	if err := control.Dial(dir).Call(e.ctx, http.MethodGet, "/v1/status", nil, &s); err != nil {
		return nil, nil, err
	}
	var ch parley.Hash
	var hs []parley.Head
	for _, l := range s.Logs {
		id, err := parley.ParseOrigin(l.Origin)
		if err != nil {
			return nil, nil, err
		}
		root, err := hex.DecodeString(l.Root)
		if err != nil || len(root) != 32 {
			return nil, nil, parley.Errorf(control.CodeRequest, "the node's answer cannot be read")
		}
		ch = id.Channel
		hs = append(hs, parley.Head{Party: id.Party, Lane: id.Lane, Gen: id.Gen, Size: l.Size, Root: parley.Hash(root)})
	}
	slices.SortFunc(hs, parley.CompareLog)
	return &ch, hs, nil
}

type charterClose struct {
	dir
	File string `arg:"" type:"existingfile" help:"The successor's charter, signed by all."`
}

func (c *charterClose) Help() string {
	return `When the members agree on a new charter (other members, keys, witnesses, rules), it
names this channel as its predecessor and the heads it accepts as final:

  parley charter draft next.charter --prev DIR --name ... --member ...

When all have signed it, each closes the old channel. Nothing can be written there
after that; the record stays, and stays verifiable. The node must be running.

The new channel runs in a directory of its own, never in the old one: copy card and
node.key there, then parley charter accept next.charter --dir NEW.

Example:
  parley charter close next.charter --dir india`
}

func (c *charterClose) Run(e *env) error {
	s, _, err := loadCharter(c.File)
	if err != nil {
		return err
	}
	var ok control.Closed
	if err := control.Dial(c.Dir).Call(e.ctx, http.MethodPost, "/v1/close", control.Close{Charter: s.Encode()}, &ok); err != nil {
		return err
	}
	e.printf("Closed in favour of %q, channel %s.\n", ok.Successor, ok.Channel)
	return nil
}
