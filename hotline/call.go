package hotline

import "parley"

// Attempt records a call on a line outside this channel (kind 21), as its
// author states it: who called whom, when, and how it ended.
type Attempt struct {
	Type    Type
	Line    uint8 // 0 if on no line of the registry
	Caller  parley.Party
	Called  parley.Audience
	At      uint64 // seconds since 1970
	Outcome Outcome
	Note    string
}

// Kind is KindAttempt.
func (a *Attempt) Kind() parley.Kind { return KindAttempt }

// Encode is the canonical form.
func (a *Attempt) Encode() []byte {
	b := parley.AppendArray(nil, 7)
	for _, v := range []uint64{uint64(a.Type), uint64(a.Line), uint64(a.Caller), uint64(a.Called), a.At, uint64(a.Outcome)} {
		b = parley.AppendUint(b, v)
	}
	return parley.AppendText(b, a.Note)
}

func decodeAttempt(d *parley.Decoder) *Attempt {
	d.Array(7, 7)
	return &Attempt{
		Type: Type(d.Uint(uint64(maxType))), Line: uint8(d.Uint(MaxLine)),
		Caller: d.Party(), Called: decodeSet(d),
		At: d.Uint(parley.MaxUint), Outcome: Outcome(d.Uint(uint64(maxOut))), Note: d.Text(0, MaxNote),
	}
}

// Check reports the rule that the record alone breaks.
func (a *Attempt) Check() error {
	for _, err := range []error{
		checkMax("type", a.Type, 0, maxType),
		checkMax("line", a.Line, 0, MaxLine),
		checkMax("caller", a.Caller, 1, parley.MaxParty),
		checkSet(CodeCaller, "those called", a.Called),
		checkMax("outcome", a.Outcome, 1, maxOut),
		checkProse("note", a.Note, MaxNote),
	} {
		if err != nil {
			return err
		}
	}
	if a.Called.Includes(a.Caller) {
		return parley.Errorf(CodeCaller, "member %d calls itself", a.Caller)
	}
	if a.At == 0 || a.At > parley.MaxUint {
		return parley.Errorf(parley.CodeOutOfRange, "time of the call %d", a.At)
	}
	return nil
}

// CheckIn requires that the author took part and that all are members.
func (a *Attempt) CheckIn(c *parley.Charter, author parley.Party, _ parley.Lane, _ parley.Audience) error {
	if author != a.Caller && !a.Called.Includes(author) {
		return parley.Errorf(CodeCaller, "member %d records a call that it took no part in", author)
	}
	if (a.Called|parley.AudienceOf(a.Caller))&^everyone(c) != 0 {
		return parley.Errorf(CodeCaller, "the call names a member that the charter does not have")
	}
	return nil
}

// Query asks the readers about an entry, or about something that reached them
// outside this channel (kind 22). They answer Affirm or Negative.
type Query struct {
	Type  Type
	Line  uint8
	Ask   Ask
	About *parley.Ref // may be nil for DidYouSend
	Text  string      // what is meant, in words
}

// Kind is KindQuery.
func (q *Query) Kind() parley.Kind { return KindQuery }

// Encode is the canonical form.
func (q *Query) Encode() []byte {
	b := parley.AppendArray(nil, 5)
	b = parley.AppendUint(b, uint64(q.Type))
	b = parley.AppendUint(b, uint64(q.Line))
	b = parley.AppendUint(b, uint64(q.Ask))
	return parley.AppendText(appendOptRef(b, q.About), q.Text)
}

func decodeQuery(d *parley.Decoder) *Query {
	d.Array(5, 5)
	return &Query{
		Type: Type(d.Uint(uint64(maxType))), Line: uint8(d.Uint(MaxLine)),
		Ask: Ask(d.Uint(uint64(maxAsk))), About: decodeOptRef(d), Text: d.Text(0, MaxNote),
	}
}

// Check reports the rule that the question alone breaks.
func (q *Query) Check() error {
	for _, err := range []error{
		checkMax("type", q.Type, 0, maxType),
		checkMax("line", q.Line, 0, MaxLine),
		checkMax("question", q.Ask, 1, maxAsk),
		checkProse("text of the question", q.Text, MaxNote),
	} {
		if err != nil {
			return err
		}
	}
	if q.About == nil && (q.Ask == DidYouOpen || q.Text == "") {
		return parley.Errorf(CodeQuestion, "the question %q does not say what it is about", q.Ask)
	}
	return nil
}

// CheckIn has no rule.
func (q *Query) CheckIn(*parley.Charter, parley.Party, parley.Lane, parley.Audience) error {
	return nil
}
