package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/host"
	"parley/seal"
)

// texts are messages of ordinary English, each of 160 characters.
var texts = []string{
	"Our patrol near the northern crossing has seen two vehicles without lights. We hold our positions and ask you to confirm whether they belong to you before dawn.",
	"The scheduled test of this line was received at the agreed time. Reception was clear on each channel and the duty officer has noted it. Next one is due 0900 UTC",
	"Maintenance work on the eastern gauge will begin on Monday and last three days. No personnel will cross the marked boundary. We will report when it is finished.",
	"A civilian aircraft with a damaged transponder is approaching your sector from the south west. It is on course for the civil airport. Please inform your radars.",
	"We have taken note of your proposal concerning the exchange of observers. Our answer will reach you over this line before the end of this week. Please stand by.",
}

// message is the i-th text. Every one says that it is a test.
func message(i int) *hotline.Text {
	return &hotline.Text{Type: hotline.Test, Text: texts[i%len(texts)]}
}

// channel is some parties with their directories and one charter.
type channel struct {
	base    string
	dirs    []string
	keys    []*seal.Node
	signed  *parley.SignedCharter
	charter *parley.Charter
}

const passphrase = "of a measurement"

// unlimited is a quota out of the way: a burst here is more than a charter's
// members would send in a week.
var unlimited = [parley.Lanes]uint64{parley.MaxUint, parley.MaxUint, parley.MaxUint, parley.MaxUint, parley.MaxUint}

// newChannel makes the parties.
func newChannel(base string, quota [parley.Lanes]uint64, names ...string) (*channel, error) {
	defer func(f int) { host.WorkFactor = f }(host.WorkFactor)
	host.WorkFactor = 10 // these roots guard nothing
	ch := &channel{base: base, charter: &parley.Charter{Name: "measurement", Rules: parley.DefaultRules()}}
	ch.charter.Rules.Quota = quota
	var roots []*seal.Root
	for i, name := range names {
		dir := filepath.Join(base, fmt.Sprint(i+1))
		card, err := host.Init(dir, name, "", passphrase)
		if err != nil {
			return nil, err
		}
		root, err := host.OpenRoot(filepath.Join(dir, "root.key"), passphrase)
		if err != nil {
			return nil, err
		}
		keys, err := host.LoadKeys(dir)
		if err != nil {
			return nil, err
		}
		roots, ch.dirs, ch.keys = append(roots, root), append(ch.dirs, dir), append(ch.keys, keys)
		ch.charter.Members = append(ch.charter.Members, parley.Member{Index: parley.Party(i + 1), Name: card.Name,
			RootEd: card.RootEd, RootPQ: card.RootPQ, Keys: card.Keys})
	}
	ch.signed = &parley.SignedCharter{Charter: ch.charter.Encode()}
	for i, r := range roots {
		ch.signed.Add(r.SignCharter(ch.signed.Channel(), parley.Party(i+1)))
	}
	for _, dir := range ch.dirs {
		if _, err := host.Accept(dir, ch.signed.Encode(), 0, false); err != nil {
			return nil, err
		}
	}
	return ch, nil
}

// copyParty makes another directory of a party, without a record.
func (ch *channel) copyParty(i int, name string) (string, error) {
	dir := filepath.Join(ch.base, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	for _, f := range []string{"node.key", "card", "charter"} {
		b, err := os.ReadFile(filepath.Join(ch.dirs[i], f))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, f), b, 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// fsyncTime is the median time of appending 300 bytes to a file durably.
func fsyncTime(dir string) (float64, error) {
	f, err := os.CreateTemp(dir, "fsync-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	ds := make([]time.Duration, 100)
	for i := range ds {
		start := time.Now()
		if _, err := f.Write(make([]byte, 300)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		ds[i] = time.Since(start)
	}
	return quantile(ds, 0.5), nil
}
