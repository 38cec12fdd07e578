package main

import (
	"net/http"
	"strings"

	"parley"
	"parley/hotline"
	"parley/internal/control"
	"parley/internal/host"
)

type translateCmd struct {
	voice
	Ref        string   `arg:"" help:"The message's number."`
	Text       string   `arg:"" optional:"" help:"The translation. Read from standard input if it is missing or -."`
	Lang       string   `required:"" help:"Language of the translation, such as ur, hi or en."`
	Status     string   `required:"" enum:"courtesy,official,machine" help:"courtesy, official or machine. There is no default: say which."`
	Translator string   `placeholder:"OFFICE" help:"The office or agency that translated, not a person."`
	Subject    string   `help:"The subject, translated."`
	To         []string `placeholder:"NAME" sep:"none" help:"Reader; the author and all other readers of the message if none is named. Repeat."`
}

func (c *translateCmd) Help() string {
	return `The message stays the authoritative text; the translation is shown beside it as
this party's, with its status. A newer one of the same language and status
replaces it. It opens and answers nothing, and goes to nobody who does not have
the message.

Example:
  parley translate 2/FLASH/17 --lang ur --status courtesy --translator "Translation service" -`
}

func (c *translateCmd) Run(e *env) error {
	_, ch, _, err := host.LoadCharter(c.Dir)
	if err != nil {
		return err
	}
	if c.Text == "" || c.Text == "-" {
		b, err := typedText(e)
		if err != nil {
			return err
		}
		if c.Text = strings.TrimRight(string(b), "\n"); len(c.Text) > hotline.MaxText {
			return parley.Errorf(parley.CodeTooLarge, "the text on standard input has more than %d bytes", hotline.MaxText)
		}
	}
	if strings.TrimSpace(c.Text) == "" {
		return parley.Errorf(parley.CodeLength, "the translation has no text")
	}
	t := &hotline.Translation{Language: c.Lang, Text: c.Text, Subject: c.Subject, Translator: c.Translator}
	if t.Status, err = hotline.ParseStatus(c.Status); err != nil {
		return err
	}
	if err := t.Check(); err != nil { // before JSON mends what is not UTF-8
		return err
	}
	to, err := readers(ch, c.To)
	if err != nil {
		return err
	}
	var at control.Place
	err = control.Dial(c.Dir).Call(e.ctx, http.MethodPost, "/v1/translate", control.Translate{Ref: c.Ref, Language: c.Lang, Status: c.Status,
		Text: c.Text, Subject: c.Subject, Translator: c.Translator, To: to, Alone: c.Alone}, &at)
	if err != nil {
		return err
	}
	return placed(e, at, c.JSON)
}
