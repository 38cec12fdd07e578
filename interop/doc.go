// Package interop runs Parley beside implementations of the same C2SP
// specifications that were written by others:
//
//	cd interop && go test ./...
package interop
