package browser

import (
	"strings"
	"testing"

	"parley/browser/drive"
)

// Two officers of one side release a courtesy translation into Urdu; on the
// other side's open page it comes to stand beside the original by itself, with
// its status, its translator and the party whose word that is. It opens nothing.
func TestTranslationBesideItsOriginal(t *testing.T) {
	w := shared(t)
	in, pk := w.parties[0], w.parties[1]
	const original, urdu = "EXERCISE. The convoy has halted at the bridge.", "مشق۔ قافلہ پل پر رک گیا ہے۔"
	place := send2(t, in, drive.Wording{Lane: "IMMEDIATE", Type: "exercise", Line: "1", Subject: "Convoy", Text: original, Language: "en"})
	reading := in.officers[0].open(t, place)
	if reading.Has(".beside") {
		t.Fatal("a translation before there is one")
	}

	first, second := pk.officers[0].at(t), pk.officers[1].at(t)
	for _, win := range []*drive.Window{first, second} {
		win.Go(pk.node.URL + "/lines/1?kind=message")
		win.WaitText("#entries", "halted at the bridge")
	}
	pk.node.Run("ack", reading.Text("h1 .id")) // no alarm is left to other tests
	first.Go(pk.node.URL + place)
	first.Submit(`a[href$="/translate"]`)
	first.WaitText("main", original)
	translation(first, "ur", "courtesy", "Translation service", urdu)
	first.WaitText(".texts", original)
	first.WaitText(".texts .beside", urdu)
	first.WaitText(".banner", "EXERCISE EXERCISE EXERCISE")
	first.Submit(`button[value=keep]`)
	first.Arrive("the draft's page", `/^\/drafts\/\d+$/.test(location.pathname)`)
	draft := first.Eval(`location.pathname`)
	drive.Approve(first, "submit")
	first.Arrive("the draft submitted", `location.search == "?done=submitted"`)
	second.Go(pk.node.URL + draft)
	second.WaitText(".texts", original)
	second.WaitText(".texts .beside", urdu)
	drive.Approve(second, "release")
	second.Arrive("the draft released", `location.search == "?done=released"`)

	// Nobody touches the other side's page.
	reading.WaitText("#beside .beside", urdu)
	for _, want := range []string{"courtesy translation", "by the word of Pakistan", "Translation service"} {
		reading.WaitText("#beside .beside", want)
	}
	reading.WaitText(".texts", "It alone is authoritative")
	if got := reading.Eval(`(() => { const o = document.querySelector(".texts > section").getBoundingClientRect(), e = document.querySelector("#beside .beside"), b = e.getBoundingClientRect(), s = e.querySelector(".said");
		return [o.top == b.top && o.right <= b.left, s.lang, s.dir, getComputedStyle(s).unicodeBidi].join(" ") })()`); got != "true ur auto plaintext" {
		t.Errorf("the translation stands thus: %s", got)
	}
	if reading.Has("#track .track li:nth-child(4).done") {
		t.Error("the translation answered the message")
	}
	at := reading.Eval(`document.querySelector("#beside .beside a").getAttribute("href")`)
	reading.Go(in.node.URL + at)
	for _, o := range pk.officers {
		reading.WaitText("#proof", o.title)
	}
	if got := reading.Text("main"); !strings.Contains(got, original) || strings.Index(got, original) > strings.Index(got, urdu) {
		t.Errorf("on its own page the translation stands without its original, or before it: %s", got)
	}
	reading.Go(in.node.URL + place + "/print")
	reading.WaitText(".beside", urdu)
}

// translation fills in the form that is open and has it checked.
func translation(w *drive.Window, lang, status, translator, text string) {
	w.Type("input[name=language]", lang)
	w.Click(`input[name=status][value="` + status + `"]`)
	w.Type("input[name=translator]", translator)
	w.Type("textarea[name=text]", text)
	w.Submit(`#translate button[value=check]`)
}
