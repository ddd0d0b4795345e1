package chaos

import (
	"context"
	"io"
)

// Through sends a direction's bytes through a function of the test's own, which reads them from src and writes what is to go on to dst. It is
// called once for each connection, on a goroutine of its own, and may take its time: it reads bytes when they are due, and what it writes is due
// at once. Up to 64 KiB wait for it either way; then the gate reads no more, or Write waits.
//
// When the stream ends src says [io.EOF]; after a reset by the peer, [syscall.ECONNRESET]. When the function returns nil the stream
// ends behind what it wrote, and whatever else arrives is thrown away. When it returns an error, or panics, the
// connection is reset and the gate reports why. When the connection has ended, src and dst fail with [net.ErrClosed]: the function is to return then.
//
// Lifted or changed, src says io.EOF after the bytes that were handed over. The direction waits for the function to return, for a second at most,
// after which the connection is reset; what it returns then ends nothing unless it is an error.
//
// Datagrams are read and written one at a time.
type Through func(dst io.Writer, src io.Reader) error

// Impose implements [Fault].
func (f Through) Impose(st *Stage, next Sink) Sink {
	return handOff(st, next, false, func(_ context.Context, dst io.Writer, src io.Reader) error { return f(dst, src) })
}
