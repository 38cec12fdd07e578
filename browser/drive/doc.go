// Package drive runs real nodes with their consoles, and real browsers before
// them, for tests and for screenshots:
//
//	l := drive.StartLine(t, drive.Build(t), t.TempDir(), "India", "Pakistan")
//	w := drive.OpenBrowser(t).Window(t, drive.Look{})
//	w.Go(l.Nodes[0].URL)
//	w.Click("#sign-in")
//
// A Window is one officer's computer: cookies, storage and passkeys of its own.
// Passkeys live in a virtual authenticator of the DevTools protocol, so that
// the console, the browser and the signatures are the real ones and only the
// finger on the key is not.
//
// Nothing here reaches into the console: pages are used as an officer uses
// them, and probes send what an attacker could send.
//
// Whatever fails ends the caller through TB, with the page's address, its
// console messages and what the nodes wrote.
package drive
