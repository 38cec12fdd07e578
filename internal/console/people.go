package console

// peopleRoutes is the part of the table about officers: set-up, sign-in,
// officers, the watch, rules and the journal.
func peopleRoutes() []*route { return nil }
