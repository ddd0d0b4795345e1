package chaos

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// dial reaches the server. A dial that is given up when the server has just been reached ends with RST, because the client
// that it was for has gone with one: so the socket is made to linger for no time until it is in use.
func (g *Gate) dial(ctx context.Context) (net.Conn, error) {
	if g.DialContext != nil {
		return g.dialCustom(ctx)
	}
	d := net.Dialer{Control: func(network, address string, rc syscall.RawConn) error {
		if err := g.permit(network, address); err != nil {
			return err
		}
		return rc.Control(func(fd uintptr) {
			inlineUrgent(fd)
			if g.resets() {
				lingerNone(fd)
			}
		})
	}}
	d.SetMultipathTCP(false)
	growStack()
	conn, err := d.DialContext(ctx, g.network(), g.Server)
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(-1)
	}
	return conn, err
}

// permit says why an address must not be connected to, if so.
func (g *Gate) permit(network, address string) error {
	if g.Permit == nil {
		return nil
	}
	return g.Permit(network, address)
}

// dialCustom reaches the server by DialContext. One that does not end with its context is not waited for longer than Close
// waits for anything.
func (g *Gate) dialCustom(ctx context.Context) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	reached := make(chan result, 1)
	go func() {
		conn, err := g.DialContext(ctx, g.network(), g.Server)
		if err == nil {
			if err = usable(conn); err != nil {
				err = fmt.Errorf("DialContext: %w", err)
			}
		}
		reached <- result{conn, err}
	}()
	var r result
	select {
	case r = <-reached:
	case <-ctx.Done():
		late := time.NewTimer(closePatience + patience/10) // so that Close can say so
		defer late.Stop()
		select {
		case r = <-reached:
		case <-late.C:
			go func() {
				if r := <-reached; r.err == nil {
					r.conn.Close()
				}
			}()
			return nil, ctx.Err()
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	oobInline(r.conn)
	return r.conn, nil
}

// growStack has room made at once on the stack of a goroutine that has just begun, for all that a dial needs. A stack that
// grows amid a dial is copied, twice, with all the frames that are on it by then.
//
//go:noinline
func growStack() byte {
	var room [stackOfDial]byte
	return room[touched.Load()%stackOfDial]
}

// stackOfDial is what the deepest calls of a dial take.
const stackOfDial = 5 << 10

var touched atomic.Uint32 // always 0, and unknown to the compiler
