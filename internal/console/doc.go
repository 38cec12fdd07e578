// Package console is the officers' console of one party: web pages served by
// the party's own node to the browsers of its officers.
//
//	s, err := console.New(console.Config{Host: h, Book: book, Addr: "localhost:8443"})
//	err = s.Run(ctx)
//
// Pages are html/template files with one typed struct each, rendered on the
// server; links and forms work without script. One small ES module adds what
// cannot be had otherwise: live changes, ticking clocks, sound, single keys,
// and passkeys.
//
// Every request goes the same way (middleware.go): recovery, host allow-list,
// headers, method and content type, limits, cross-origin checks, session,
// authorization from the table of routes (routes.go), audit, handler. What is
// not in the table does not exist, and a route that names no role is nobody's.
//
// Nothing that was received is ever markup: texts of people stand in elements
// of their own, with their own direction and language, and direction
// characters in them are shown by number. Colour never says who is right;
// red is for alarms only, and no colour says anything alone.
//
// The console never decides. It asks the desks (package docket) for facts,
// the book of officers (internal/officer) for who may do what, and hands
// released drafts to the node. It holds no state of its own but a bounded
// history of proofs for the strip of the last day. A start takes into it what
// the record still proves; where nobody watched, it says "not known".
//
// The node does nothing else while the desks are asked. What grows with a flood
// of entries, the strip and the duties, is kept for all browsers and asked again
// only when it has taken a twentieth of the time; it may be that much old.
package console
