//go:build !unix

package chaos

import "syscall"

// oobInline would let urgent bytes arrive in their place in the stream. It reports that
// it does not: an urgent byte is lost here.
func oobInline(any) bool { return false }

// inlineUrgent does nothing.
func inlineUrgent(uintptr) error { return nil }

// readable would report whether a read returns at once. It reports false, so that
// nothing is ever counted as evidence that was not seen. To wait with it would be to wait
// for ever.
func readable(syscall.RawConn) bool { return false }
