package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley"
)

// What repairs is itself killed with kill -9 at random moments: backup, restore,
// recover, and the node under a change of keys. Whatever the moment, the same
// command given again ends well, nothing that was acknowledged is lost, and
// nothing is signed twice. The large dose, with a known seed:
//
//	PARLEY_KILLS=200 PARLEY_SEED=1 go test ./cmd/parley -run TestKillRecovery -v -timeout 60m
func TestKillRecovery(t *testing.T) {
	t.Parallel()
	kills, seed := number(t, "PARLEY_KILLS", 4), number(t, "PARLEY_SEED", time.Now().UnixNano())
	t.Logf("PARLEY_SEED=%d", seed)
	for i, k := range []struct {
		name string
		play func(*killed)
	}{{"backup", killBackup}, {"restore", killRestore}, {"recover", killRecover}, {"renew", killRenew}} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			m := newManual(t)
			m.texts(60)
			m.safe()
			k.play(&killed{manual: m, chance: rand.New(rand.NewPCG(uint64(seed), uint64(i))), kills: int(kills)})
		})
	}
}

// killed is a world in which one command after the other is killed.
type killed struct {
	*manual
	chance *rand.Rand
	kills  int
	ended  int // how many had ended before they were killed
}

func nthText(i int) string { return fmt.Sprintf("EXERCISE. %d%s", i, strings.Repeat(" text", 40)) }

// texts lets India write, and waits until Pakistan has it.
func (m *manual) texts(n int) {
	m.t.Helper()
	for i := range n {
		m.india.say([]parley.Lane{parley.Flash, parley.Routine}[i%2], nthText(i))
	}
	m.india.received(m.pakistan)
}

// kill runs a command and kills it after a random part of a time. It reports
// whether it had ended by itself, and well.
func (k *killed) kill(most time.Duration, args ...string) (done bool) {
	k.t.Helper()
	p := spawn(k.t, k.base, args...)
	select {
	case <-p.done:
		k.ended++
		if p.cmd.ProcessState.ExitCode() != 0 {
			k.t.Fatalf("parley %s: %s", strings.Join(args, " "), p.stderr())
		}
		return true
	case <-time.After(time.Duration(k.chance.Int64N(int64(most)))):
	}
	p.kill()
	return p.cmd.ProcessState.Success()
}

func (k *killed) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(k.base, name))
	return err == nil
}

func killBackup(k *killed) {
	for i := range k.kills {
		name := fmt.Sprintf("%d.backup", i)
		k.kill(400*time.Millisecond, "backup", name, "--dir", "india")
		if k.exists(name) {
			ok(k.t, k.base, "backup", "check", name, "--key", "recovery.key") // whole, or not there
		} else {
			ok(k.t, k.base, "backup", name, "--dir", "india")
		}
		if k.exists(name + ".part") {
			k.t.Errorf("%s.part stays", name)
		}
	}
	k.t.Logf("%d of %d had ended", k.ended, k.kills)
	k.india.node.stop()
	k.india.fsck()
}

func killRestore(k *killed) {
	k.india.node.kill()
	for i := range k.kills {
		dir := fmt.Sprintf("new%d", i)
		ok(k.t, k.base, "identity", "open", "india.identity", "--key", "recovery.key", "--dir", dir)
		if !k.kill(400*time.Millisecond, "restore", "india.backup", "--key", "recovery.key", "--dir", dir) && !k.exists(dir+"/record.db") {
			if k.exists(dir + "/record.restoring") {
				if r := command(k.t, k.base, "", "serve", "--dir", dir); r.code != 1 || !strings.Contains(r.err, "restore-unfinished") {
					k.t.Errorf("a node starts in a half-restored directory: %d %s", r.code, r.err)
				}
			}
			ok(k.t, k.base, "restore", "india.backup", "--key", "recovery.key", "--dir", dir)
		}
		ok(k.t, k.base, "fsck", "--dir", dir)
	}
	k.t.Logf("%d of %d had ended", k.ended, k.kills)
	k.india.dir = filepath.Join(k.base, "new0")
	k.meet()
}

func killRecover(k *killed) {
	k.india.node.kill()
	k.move("india", "dead-disk")
	ok(k.t, k.base, "identity", "open", "india.identity", "--key", "recovery.key", "--dir", "india")
	for range k.kills {
		if k.kill(1500*time.Millisecond, "recover", "--dir", "india") {
			break
		}
		if !k.exists("india/rebuilding") && k.exists("india/record.db") {
			k.t.Fatal("a half-rebuilt record is not marked")
		}
	}
	if k.exists("india/rebuilding") || !k.exists("india/record.db") {
		out := ok(k.t, k.base, "recover", "--dir", "india")
		if !strings.Contains(out, "Verified") {
			k.t.Error(out)
		}
	}
	k.meet()
}

func killRenew(k *killed) {
	for i := range k.kills {
		p := spawn(k.t, k.base, "keys", "renew", "--dir", "india", "--passphrase-file", k.passFile())
		time.Sleep(time.Duration(k.chance.Int64N(int64(600 * time.Millisecond))))
		k.india.node.kill()
		<-p.done
		k.start(k.india)
		k.india.ready()
		text := fmt.Sprintf("EXERCISE. after kill %d", i)
		k.india.say(parley.Flash, text)
		k.pakistan.has(text)
		// Whatever it was, the same command again ends what was begun, or begins anew.
		ok(k.t, k.base, "keys", "renew", "--dir", "india", "--passphrase-file", k.passFile())
		k.india.ready()
	}
	k.meet()
}

func (k *killed) passFile() string {
	path := filepath.Join(k.base, "pass")
	if !k.exists("pass") {
		if err := os.WriteFile(path, []byte(passphrase+"\n"), 0o600); err != nil {
			k.t.Fatal(err)
		}
	}
	return path
}

// meet starts India again and looks whether all is well on both sides.
func (k *killed) meet() {
	k.t.Helper()
	if k.india.node.ended() {
		k.start(k.india)
	}
	k.india.ready()
	for _, p := range k.parties {
		eventually(k.t, p.name+" has all texts", func() bool {
			n := map[string]int{}
			for _, m := range p.inbox() {
				n[m.Text]++
			}
			for i := range 60 {
				if c := n[nthText(i)]; c > 1 {
					k.t.Fatalf("text %d is there %d times", i, c)
				} else if c == 0 {
					return false
				}
			}
			return true
		})
		for _, l := range p.status().Logs {
			if l.Forked {
				k.t.Errorf("%s holds %s for forked", p.name, l.Origin)
			}
		}
	}
	k.india.say(parley.Flash, "EXERCISE. at the end")
	k.pakistan.has("EXERCISE. at the end")
	k.india.node.stop()
	k.india.fsck()
}
