package hotline

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"parley"
)

// fits are how what was written beside a message stands, as one desk shows it.
func (w *world) fits(by parley.Party, about parley.Ref) (out []string) {
	for _, x := range w.desks[by].Translations(about) {
		s := fmt.Sprintf("%d %s %s %s", x.Author, x.Translation.Language, x.Translation.Status, x.Fit)
		if x.Replaced != nil {
			s += " by " + x.Replaced.String()
		}
		out = append(out, s)
	}
	return out
}

func translation(about parley.Ref, lang string, s Status, text string) *Translation {
	return &Translation{About: about, Language: lang, Status: s, Text: text}
}

// Every translation is the word of its author: another member's, another
// language or status replaces nothing, and none displaces the original.
func TestTranslations(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Type: Exercise, Text: "Hold.", Language: "en", Governs: true, Ack: AckSubstantive, ReplyBy: unix(w.now) + 600}, parley.Flash, pakistan, saudi)
	before := w.message(india, m)
	w.at("00:01")
	first := w.say(pakistan, translation(m, "ur", Courtesy, "ٹھہریں"), parley.Flash, india, saudi)
	w.at("00:02")
	w.say(pakistan, translation(m, "ur", Official, "ٹھہرے رہیں"), parley.Routine, india)
	w.say(india, translation(m, "ur", Courtesy, "رکیں"), parley.Flash, pakistan, saudi)
	w.say(saudi, translation(m, "ar", Machine, "توقفوا"), parley.Flash, pakistan)
	w.at("00:03")
	second := w.say(pakistan, translation(m, "UR", Courtesy, "ٹھہریے"), parley.Deferred, india, saudi)
	want := []string{"1 ur courtesy stands", "2 UR courtesy stands", "2 ur official stands", "2 ur courtesy replaced by " + second.String()}
	same(t, w.fits(india, m), want)
	same(t, w.fits(pakistan, m), append([]string{"3 ar machine stands"}, want...))

	after := w.message(india, m)
	if !reflect.DeepEqual(after.Text, before.Text) || !after.Text.Governs {
		t.Error("the original changed")
	}
	if !reflect.DeepEqual(after.Addressees, before.Addressees) || len(after.Responses) != 0 {
		t.Errorf("a translation opened or answered something: %+v %+v", after.Addressees, after.Responses)
	}
	x, ok := w.desks[india].TranslationOf(first)
	if !ok || x.Fit != FitReplaced || x.Translation.Text != "ٹھہریں" || x.Type != Exercise || x.Author != pakistan {
		t.Errorf("the earlier translation is not kept: %+v", x)
	}
	if _, ok := w.desks[monitor].Message(m); ok || w.desks[monitor].Translations(m) != nil {
		t.Error("a member that does not read the message has its translations")
	}
}

// What does not fit is shown with the reason, and changes nothing.
func TestTranslationsThatChangeNothing(t *testing.T) {
	w := newWorld(t)
	private := w.say(india, &Text{Text: "For you alone.", Language: "en", Handling: PartyOnly}, parley.Flash, pakistan)
	call := w.say(india, &Attempt{Caller: india, Called: parley.AudienceOf(pakistan), At: unix(w.now), Outcome: NoAnswer}, parley.Flash)
	broken := w.put(india, parley.Draft{Lane: parley.Flash, Kind: KindText, Body: []byte{0x80}})
	nowhere := *ref(saudi, 77)
	all := func(b Body) parley.Draft { return Draft(b, parley.Flash, parley.ToAll) }

	wide := w.put(pakistan, all(translation(private, "ur", Official, "صرف آپ کے لیے")))
	w.put(monitor, all(translation(private, "ur", Official, "جعلی")))
	w.put(pakistan, Draft(translation(private, "EN", Official, "For all of you."), parley.Flash, parley.AudienceOf(india)))
	same(t, w.fits(india, private), []string{"4 ur official not-a-reader", "2 EN official same-language", "2 ur official too-wide"})
	same(t, w.fits(saudi, private), []string{"4 ur official waiting", "2 ur official waiting"}) // it may not know what is not its own

	w.put(pakistan, all(translation(call, "ur", Courtesy, "کال")))
	w.put(pakistan, all(translation(wide, "en", Courtesy, "of a translation")))
	w.put(pakistan, all(translation(broken, "ur", Courtesy, "ٹوٹا")))
	w.put(pakistan, all(translation(nowhere, "ur", Courtesy, "کہیں نہیں")))
	for about, want := range map[parley.Ref]string{call: "no-message", wide: "no-message", broken: "no-message", nowhere: "waiting"} {
		if got := w.fits(india, about); len(got) != 1 || !strings.HasSuffix(got[0], want) {
			t.Errorf("%s: %v, want %s", about, got, want)
		}
	}
	if n := len(w.desks[india].Unplaced()); n != 4 {
		t.Errorf("%d translations stand beside nothing, want 4", n)
	}
	bad := w.put(pakistan, parley.Draft{Lane: parley.Flash, Kind: KindTranslation, Body: []byte{0x80}})
	if x, ok := w.desks[india].TranslationOf(bad); !ok || x.Malformed == nil || x.Counts() {
		t.Errorf("a malformed translation: %+v", x)
	}
}

// What may not be written, each with its code.
func TestCheckTranslation(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Text: "Hold.", Language: "en", Handling: NoRelay}, parley.Flash, pakistan, saudi)
	call := w.say(india, &Attempt{Caller: india, Called: parley.AudienceOf(pakistan), At: unix(w.now), Outcome: NoAnswer}, parley.Flash)
	secret := w.put(india, Draft(&Text{Text: "Sealed."}, parley.Flash, parley.ToNobody))
	x := func(about parley.Ref) *Translation { return translation(about, "ur", Courtesy, "x") }
	w.refused("", pakistan, x(m), india, saudi)
	w.refused("", pakistan, x(m), india)
	w.refused("", india, x(m), pakistan)
	w.refused(CodeTooWide, pakistan, x(m))
	w.refused(CodeTooWide, pakistan, x(m), india, monitor)
	w.refused(CodeTooWide, india, x(m))
	w.refused(CodeNoSuchEntry, monitor, x(m), india)
	w.refused(CodeNoSuchEntry, pakistan, x(call), india)
	w.refused(CodeNoSuchEntry, pakistan, x(*ref(saudi, 77)), india)
	w.refused(CodeSameLanguage, pakistan, translation(m, "EN", Machine, "x"), india)
	w.refused(CodeLanguage, pakistan, translation(m, "u r", Machine, "x"), india)
	w.refused(parley.CodeLength, pakistan, translation(m, "ur", Courtesy, ""), india)
	w.refused(parley.CodeOutOfRange, pakistan, translation(m, "ur", 3, "x"), india)
	w.refused(CodeCharacter, pakistan, &Translation{About: m, Language: "ur", Text: "x", Translator: "a\u202eb"}, india)
	w.refused(CodeCharacter, pakistan, &Translation{About: m, Language: "ur", Text: "x\x1b[2J"}, india)
	w.refused(CodeTooWide, india, x(secret), pakistan) // nobody reads it yet
	own := Draft(x(secret), parley.Flash, parley.ToNobody)
	if err := w.desks[india].Check(own, w.now); parley.CodeOf(err) != parley.CodeAudience {
		t.Errorf("a translation that nobody could ever open: %v", err)
	}
	if _, err := w.desks[pakistan].Translate(x(call)); parley.CodeOf(err) != CodeNoSuchEntry {
		t.Errorf("a translation of a call: %v", err)
	}
	if p, _ := w.desks[pakistan].Translate(x(m)); p.Lane != parley.Flash || p.To != parley.AudienceOf(india, saudi) {
		t.Errorf("a translation goes by itself to %#x in %s", uint32(p.To), p.Lane)
	}
}

// A translation that comes before its original waits, and stands once the
// original is there: any order, the same desk.
func TestTranslationFirst(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Type: Exercise, Text: "Hold."}, parley.Flash)
	w.say(pakistan, translation(m, "ur", Courtesy, "پہلا"), parley.Routine)
	w.at("00:01")
	newer := w.say(pakistan, translation(m, "ur", Courtesy, "دوسرا"), parley.Flash)
	w.say(saudi, translation(m, "ar", Machine, "x"), parley.Flash)

	d := New(w.c, monitor)
	for _, e := range w.all[1:] {
		e.tell(d)
	}
	for _, x := range d.Translations(m) {
		if x.Fit != FitWaiting || x.Counts() {
			t.Errorf("without its original: %+v", x)
		}
	}
	if len(d.Unplaced()) != 3 {
		t.Errorf("%d wait, want 3", len(d.Unplaced()))
	}
	w.all[0].tell(d)
	want := w.desks[monitor].Dump()
	if got := d.Dump(); got != want || len(d.Unplaced()) != 0 {
		t.Errorf("the late original gives another desk:\n%s\n%s", got, want)
	}
	if !strings.Contains(want, "replaced by "+newer.Long()) {
		t.Errorf("the desk's facts do not say what replaces what:\n%s", want)
	}
	rng := rand.New(rand.NewPCG(1, 7))
	for range 24 {
		d := New(w.c, monitor)
		for _, i := range rng.Perm(len(w.all)) { // each of these logs has one entry, or is held back as a whole
			w.all[i].tell(d)
		}
		if got := d.Dump(); got != want {
			t.Fatalf("the order of arrival shows:\n%s\n%s", got, want)
		}
	}
}

// A translation proves that its author lives, as every entry does; it proves
// nothing on the line, is owed nothing, and is no part of its record.
func TestTranslationOnLine(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1, Medium: Voice})
	m := w.at("01:00").say(india, &Text{Line: 1, Text: "Hold."}, parley.Flash, pakistan)
	on := w.desks[india].lastOn(1, pakistan)
	w.at("02:00")
	x := w.say(pakistan, translation(m, "ur", Courtesy, "ٹھہریں"), parley.Flash, india)
	if w.desks[india].lastOn(1, pakistan) != on || w.desks[india].Life(pakistan) != unix(w.now) {
		t.Error("a translation proves life on the line, or none elsewhere")
	}
	same(t, w.duties(india, x), nil)
	same(t, w.duties(pakistan, m), []string{"2 open 01:10 late"})
	one := uint8(1)
	if st := w.desks[india].Stretch(Timeline{Line: &one, Kinds: []parley.Kind{KindText, KindTranslation}}); len(st.Refs) != 1 {
		t.Errorf("the line shows %v", st.Refs)
	}
	if st := w.desks[india].Stretch(Timeline{}); len(st.Refs) != 2 { // the message, the proposal
		t.Errorf("the record of all shows %v", st.Refs)
	}
	if st := w.desks[india].Stretch(Timeline{Line: &one, Words: "ٹھہریں"}); len(st.Refs) != 1 || st.Refs[0] != m {
		t.Errorf("words of a translation find %v", st.Refs)
	}
	if c := w.desks[india].Chain(m, 9); len(c) != 1 {
		t.Errorf("the chain holds %v", c)
	}
}
