// Package manual holds the pages of the manual, so that the officers' console
// shows them where no other copy is at hand. Files lists them by name; index.md
// is the first. The pages are Markdown of a plain kind: headings, paragraphs,
// lists, tables, fenced commands, links to each other.
package manual

import "embed"

// Files are the pages.
//
//go:embed *.md
var Files embed.FS
