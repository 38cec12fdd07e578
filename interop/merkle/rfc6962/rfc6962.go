// Package rfc6962 is that of the release.
package rfc6962

import "merkle.release/rfc6962"

var DefaultHasher = rfc6962.DefaultHasher
