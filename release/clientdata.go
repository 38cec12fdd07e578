package release

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"parley"
)

// clientData is what a browser says that it signed (WebAuthn section 5.8.1).
type clientData struct {
	Type, Challenge, Origin string
	Crossed                 bool // crossOrigin is there and not false, or topOrigin is there
}

// maxJSON is how deep client data may nest. Browsers nest one deep.
const maxJSON = 8

// parseClientData reads what two readers cannot read differently: one JSON
// object in UTF-8 in which no object names a member twice, and no text has a
// replacement character, which stands for what a decoder could not read.
// Members that are not known are allowed, as section 5.8.1 asks. Names are
// compared to the letter; the struct decoding of encoding/json would take
// "Origin" for "origin".
func parseClientData(b []byte) (*clientData, error) {
	if !utf8.Valid(b) || !json.Valid(b) {
		return nil, parley.Errorf(CodeClientData, "the client data are not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	top := map[string]any{}
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, parley.Errorf(CodeClientData, "the client data are no JSON object")
	}
	if err := readObject(d, top, 1); err != nil {
		return nil, err
	}
	c := &clientData{}
	c.Type, _ = top["type"].(string)
	c.Challenge, _ = top["challenge"].(string)
	c.Origin, _ = top["origin"].(string)
	crossed, there := top["crossOrigin"]
	_, within := top["topOrigin"]
	c.Crossed = within || there && crossed != false
	return c, nil
}

// readObject reads the members of an object whose brace was read, into m.
func readObject(d *json.Decoder, m map[string]any, depth int) error {
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok || strings.ContainsRune(name, utf8.RuneError) {
			return parley.Errorf(CodeClientData, "the client data have a member without a readable name")
		}
		if _, twice := m[name]; twice {
			return parley.Errorf(CodeClientData, "the client data have the member %q twice", clip(name))
		}
		if m[name], err = readValue(d, depth); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// readValue reads one value; of objects and lists it only checks the form.
func readValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, parley.Errorf(CodeClientData, "the client data are not JSON: %w", err)
	}
	switch t := t.(type) {
	case string:
		if strings.ContainsRune(t, utf8.RuneError) {
			return nil, parley.Errorf(CodeClientData, "the client data have a text that is not readable")
		}
	case json.Delim:
		if depth++; depth > maxJSON {
			return nil, parley.Errorf(CodeClientData, "the client data nest deeper than %d", maxJSON)
		}
		if t == '{' {
			return t, readObject(d, map[string]any{}, depth)
		}
		for d.More() {
			if _, err := readValue(d, depth); err != nil {
				return nil, err
			}
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
	}
	return t, nil
}
