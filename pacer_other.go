//go:build !linux

package chaos

import "time"

// A wake would be a precise moment at which a function is called. Elsewhere than on Linux
// there is none: the deadlines that a pump sets as well serve it, a little later.
type wake struct{}

// pacerStart does nothing.
func pacerStart() error { return nil }

// pacerStop does nothing.
func pacerStop() {}

// newWake returns a wake that never calls f.
func newWake(func()) *wake { return new(wake) }

// at does nothing.
func (w *wake) at(time.Time) {}

// cancel does nothing.
func (w *wake) cancel() {}
