// Package testonly is empty; "go mod tidy" looks for it.
package testonly
