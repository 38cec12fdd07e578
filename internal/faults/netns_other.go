//go:build !linux

package faults

import "errors"

// Net is a pair of network namespaces; only Linux has them.
type Net struct {
	Names [2]string
	Addrs [2]string
}

// NewNet fails.
func NewNet() (*Net, error) { return nil, errors.New("network namespaces need Linux") }

// Lose does nothing.
func (n *Net) Lose(end, percent int) error { return errors.New("network namespaces need Linux") }

// Close does nothing.
func (n *Net) Close() {}
