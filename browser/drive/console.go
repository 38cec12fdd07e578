package drive

import (
	"strings"
	"time"
)

// What officers do on the pages of the console, as tests and screenshots need
// it. Whoever changes a page changes it here once.

// look is a little more than an officer must look at a draft before he
// approves it.
const look = 2200 * time.Millisecond

// Look waits as long as an officer must look at a draft before he approves it.
func (w *Window) Look() { time.Sleep(look) }

// Wording is what an officer writes into the form of a message.
type Wording struct {
	Lane, Type, Line, Subject, Text, Ack, Language string
}

// Compose fills in the form, reads the check page and keeps the draft, whose
// page is then open. It returns the draft's path.
func Compose(w *Window, origin string, m Wording) string {
	w.t.Helper()
	w.Go(origin + "/compose")
	Fill(w, m)
	w.WaitText("main", strings.SplitN(m.Text, "\n", 2)[0])
	w.Submit(`button[value=keep]`)
	w.Arrive("the draft's page", `/^\/drafts\/\d+$/.test(location.pathname)`)
	return w.Eval(`location.pathname`)
}

// Fill fills in the form of a message that is open and has it checked.
func Fill(w *Window, m Wording) {
	w.t.Helper()
	for name, value := range map[string]string{"lane": m.Lane, "type": m.Type} {
		if value != "" {
			w.Click(`input[name=` + name + `][value="` + value + `"]`)
		}
	}
	for name, value := range map[string]string{"line": m.Line, "ack": m.Ack, "language": m.Language} {
		if value != "" {
			w.Choose("select[name="+name+"]", value)
		}
	}
	if m.Subject != "" {
		w.Type("input[name=subject]", m.Subject)
	}
	w.Type("textarea[name=text]", m.Text)
	w.Submit(`#compose button[value=check]`)
}

// Approve looks at the draft that is open and takes its next step, "submit" or
// "release".
func Approve(w *Window, step string) {
	w.t.Helper()
	button := `form[data-passkey$="/` + step + `"] button`
	w.Until("the button of the step "+step, `document.querySelector(%s) != null`, button)
	w.Look()
	w.Click(button)
}

// Language chooses the language of the console on its settings page.
func Language(w *Window, origin, lang string) {
	w.t.Helper()
	w.Go(origin + "/settings")
	w.Click(`input[name=lang][value="` + lang + `"]`)
	w.Submit(`form[action="/settings"] button.primary`)
	w.Until("the language", `document.documentElement.lang == %s`, lang)
}

// Enrol opens a one-time link and makes a passkey on the window's device. The
// first officer says who he is; of a later one that is known.
func Enrol(w *Window, link, name, title string) {
	w.t.Helper()
	w.Go(link)
	if name != "" {
		w.Type("#setup input[name=name]", name)
		w.Type("#setup input[name=title]", title)
	}
	w.Type("#setup input[name=label]", "device of this test")
	w.Click("#setup button.primary")
	w.Arrive("the officers after an enrolment", `location.pathname == "/officers"`)
}

// AddOfficer enters another officer with all roles and returns his link.
func AddOfficer(w *Window, origin, name, title string) string {
	w.t.Helper()
	w.Go(origin + "/officers")
	w.Type("#add-officer input[name=name]", name)
	w.Type("#add-officer input[name=title]", title)
	w.Eval(`document.querySelectorAll("#add-officer input[name=role]:not(:checked)").forEach(e => e.click())`)
	w.Submit("#add-officer button.primary")
	return w.Text("#link code")
}

// PostRoster has one officer submit the roster of keys and another release it.
func PostRoster(first, second *Window, origin string) {
	first.t.Helper()
	first.Go(origin + "/officers")
	first.Submit("#roster button")
	first.Arrive("the roster's draft", `/^\/drafts\/\d+$/.test(location.pathname)`)
	path := first.Eval(`location.pathname`)
	Approve(first, "submit")
	first.Arrive("the roster submitted", `location.search == "?done=submitted"`)
	second.Go(origin + path)
	Approve(second, "release")
	second.Arrive("the roster released", `location.search == "?done=released"`)
}

// SignIn signs in with the passkey on the window's device.
func SignIn(w *Window, origin string) {
	w.t.Helper()
	w.Go(origin + "/sign-in")
	w.Click("#sign-in button")
	w.Arrive("the lines after signing in", `location.pathname == "/lines"`)
}

// DemoSignIn signs in as an officer of a demonstration.
func DemoSignIn(w *Window, origin, name string) {
	w.t.Helper()
	w.Go(origin + "/sign-in")
	w.Eval(`(b => (b.id = "this-one", true))([...document.querySelectorAll("main form button")].find(b => b.innerText.includes(%s)))`, name)
	w.Submit("#this-one")
	w.Arrive("the lines after signing in", `location.pathname == "/lines"`)
}

// SignOut ends the session.
func SignOut(w *Window) {
	w.t.Helper()
	w.Submit(`form[action="/sign-out"] button`)
}
