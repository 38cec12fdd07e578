package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley"
	"parley/hotline"
)

// seen is what the blocks before have shown, so that each shows only changes.
type seen struct {
	duties map[debt]parley.Duty // owed when the block before was shown
	health map[uint8]string     // of lines
	talked map[parley.Ref]bool
}

// debt names a duty.
type debt struct {
	ref   parley.Ref
	owner parley.Party
	what  string
	by    int64 // of a scheduled test, which comes again
}

func debtOf(d parley.Duty) debt {
	x := debt{ref: d.Ref, owner: d.Owner, what: d.What}
	if d.What == hotline.DutyTest {
		x.by = d.By.Unix()
	}
	return x
}

// state shows how far the entry has come that a step answers, as its author's
// own desk sees it.
func (p *player) state(ctx context.Context, st *Step) error {
	reply := st.Do == Message && st.message.Relation == hotline.Reply
	if st.Do != Answer && !reply {
		return nil
	}
	ref := p.refs[st.About]
	return p.desk(ctx, ref.Party, func(d *hotline.Desk, _ time.Time) {
		m, ok := d.Message(ref)
		if !ok {
			return
		}
		for _, a := range m.Addressees {
			if text := marks(&a); text != "" {
				p.out.field("state", p.w.name(a.Party)+": "+text)
			}
		}
	})
}

// marks lists what is known of a message with one reader. All times are by the
// reader's clock.
func marks(a *hotline.Addressee) string {
	var out []string
	for _, m := range []struct {
		what string
		hotline.Mark
	}{{"received", a.Received}, {"opened", a.Opened}, {"passed", a.Passed}, {"answered", a.Answered}, {"declined", a.Declined}} {
		if m.Given() {
			out = append(out, m.what+hard+at(m.Time).Format("15:04Z"))
		}
	}
	if a.SayAgain {
		out = append(out, "asks for it again")
	}
	if a.Waiting {
		out = append(out, "unanswered so far")
	}
	return strings.Join(out, " · ")
}

// clocks shows what is owed: new duties, those that have become late, and, as
// long as they run, the clocks of calls that nobody answered.
func (p *player) clocks(ctx context.Context) error {
	now := p.w.clock.Now().Truncate(time.Minute)
	duties, err := p.owed(ctx, now)
	if err != nil {
		return err
	}
	open := map[debt]parley.Duty{}
	var texts []string
	for _, d := range duties {
		x := debtOf(d)
		was, known := p.show.duties[x]
		open[x] = d
		call := d.What == hotline.DutyCallBack || d.What == hotline.DutyEscalate
		if !known || d.Late && !was.Late || call {
			texts = append(texts, p.duty(d, now))
		}
	}
	done, err := p.calls(ctx)
	if err != nil {
		return err
	}
	done = append(done, p.escalated(open)...)
	p.show.duties = open
	texts = append(done, texts...)
	const most = 6
	for i, text := range texts {
		if i == most && len(texts) > most+1 {
			p.out.field("clock", fmt.Sprintf("and %d more", len(texts)-most))
			break
		}
		p.out.field("clock", text)
	}
	return nil
}

func (p *player) duty(d parley.Duty, now time.Time) string {
	text := p.owes(d)
	due := d.By.Format("15:04Z")
	if d.By.YearDay() != now.YearDay() {
		due = d.By.Format("2 Jan 15:04Z")
	}
	left := d.By.Truncate(time.Minute).Sub(now)
	if d.Late {
		return text + "; " + tied("due "+due+",") + " " + tied("LATE by "+lasting(max(-left, 0)))
	}
	return text + "; " + tied("due "+due+",") + " " + tied("in "+lasting(left))
}

// escalated tells of callers that have tried another line since the last
// block.
func (p *player) escalated(open map[debt]parley.Duty) (texts []string) {
	for x := range p.show.duties {
		if _, still := open[x]; still || x.what != hotline.DutyEscalate {
			continue
		}
		text := "escalated: " + p.w.name(x.owner) + " tried another line"
		for y, d := range open {
			if y.ref == x.ref && y.what == hotline.DutyCallBack {
				text += fmt.Sprintf("; %s has neither answered nor declined", p.w.name(d.Owner))
				break
			}
		}
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return texts
}

// owes is a duty in words, with the subject in place of the entry's number.
func (p *player) owes(d parley.Duty) string {
	text := strings.TrimSuffix(d.Text, ".")
	if st := p.said[d.Ref]; st != nil && st.Do == Message && st.message.Subject != "" {
		text = strings.Replace(text, d.Ref.String(), fmt.Sprintf("%q", st.message.Subject), 1)
	}
	return p.w.name(d.Owner) + ": " + text
}

// calls tells of calls that came through after one that did not. Until then
// nobody has answered, and nobody has declined either.
func (p *player) calls(ctx context.Context) (texts []string, err error) {
	for _, m := range p.w.order() {
		err := p.desk(ctx, m, func(d *hotline.Desk, _ time.Time) {
			for _, c := range slices.Backward(d.Calls(hotline.Filter{Author: m})) {
				if c.Attempt == nil || c.Attempt.Outcome == hotline.Connected || c.Talked == 0 || p.show.talked[c.Ref] {
					continue
				}
				p.show.talked[c.Ref] = true
				texts = append(texts, fmt.Sprintf("stopped: the call of %s at %s was not answered and not declined; they talked at %s, after %s",
					p.w.name(c.Attempt.Caller), at(c.Attempt.At).Format("15:04Z"), at(c.Talked).Format("15:04Z"), lasting(c.Waited)))
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// lines shows the lines whose state has changed, as the desks of their members
// see them.
func (p *player) lines(ctx context.Context) error {
	views, err := p.lineViews(ctx)
	if err != nil {
		return err
	}
	for _, v := range views {
		if p.show.health[v.number] == v.health {
			continue
		}
		was := p.show.health[v.number]
		p.show.health[v.number] = v.health
		text := strings.ToUpper(v.health)
		if was != "" {
			text = was + " → " + text
		}
		p.out.field(fmt.Sprintf("line %d", v.number), text+". "+v.text)
	}
	return nil
}

// lineState is a line as its members see it, where they differ each with its
// name. Whether a member is silent is for the others to see.
type lineState struct {
	number uint8
	name   string
	health string
	text   string
}

func (p *player) lineViews(ctx context.Context) ([]*lineState, error) {
	type view struct {
		by, name     string
		health, text string
		silent       bool // it is its own silence
	}
	seen := map[uint8][]view{}
	for _, m := range p.w.order() {
		err := p.desk(ctx, m, func(d *hotline.Desk, now time.Time) {
			for _, l := range d.Lines(now) {
				if l.Line != nil && !l.Line.Members.Includes(m) || l.Line == nil && p.s.Members[m-1].Role != parley.RoleParty {
					continue
				}
				silent := l.Condition.Silent
				if l.Played != nil {
					silent = l.Played.Silent
				}
				v := view{silent: slices.Contains(silent, m), by: p.w.name(m), health: l.Condition.Health.String(), text: l.Condition.Text, name: p.lineName(l.Number)}
				if l.Played != nil {
					v.health, v.text = l.Played.Health.String()+", as played", capital(strings.TrimPrefix(l.Played.Text, "EXERCISE OR DRILL: "))
				}
				if l.Line == nil && len(l.Proposals) > 0 {
					v.text = "Proposed by " + p.w.name(l.Proposals[0].Author) + "; it binds nobody until " + p.w.namesOf(l.Proposals[0].Waiting) + " accepts."
				}
				seen[l.Number] = append(seen[l.Number], v)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	var out []*lineState
	for n := range uint8(hotline.MaxLine + 1) {
		vs := seen[n]
		if slices.ContainsFunc(vs, func(v view) bool { return !v.silent }) {
			vs = slices.DeleteFunc(vs, func(v view) bool { return v.silent })
		}
		if len(vs) == 0 {
			continue
		}
		s := &lineState{number: n, name: vs[0].name, health: vs[0].health, text: vs[0].text}
		if slices.ContainsFunc(vs, func(v view) bool { return v.health != vs[0].health }) {
			s.health, s.text = "", ""
			for _, v := range vs {
				s.health = strings.TrimPrefix(s.health+"; "+v.by+": "+v.health, "; ")
				s.text = strings.TrimSpace(s.text + " " + v.by + ": " + v.text)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func (w *world) namesOf(ps []parley.Party) string {
	return w.names(parley.AudienceOf(ps...))
}
