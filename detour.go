package chaos

import (
	"context"
	"io"
	"net"
	"syscall"
)

// Detour sends a direction's bytes out to a TCP address, the test's own process say, and takes what comes back in their place: it is
// [Through] for any language. There is one such connection for each connection through the gate. Both ways pass a half-close
// on. When it cannot be reached, or is reset, the connection through the gate is reset and the gate reports why. What comes back may end
// before what goes out has: then the direction ends or, with Ends, the connection.
//
// Datagrams are framed both ways: each follows its length, as two bytes, the high one first.
//
// A gate with a DialContext and a ListenFunc, or ListenPacket, has a network of its own, and dials there.
type Detour struct {
	Address string `json:"address" need:"true" help:"the TCP address, host:port, that changes the bytes"`
	Ends    bool   `json:"ends" help:"when what comes back ends, the connection does, not just its direction"`
}

func init() {
	Register("detour", "Data goes out to an address of the test's own and comes back changed.", Detour{})
}

// Check implements [Checker].
func (d Detour) Check(string) error {
	if _, _, err := net.SplitHostPort(d.Address); err != nil {
		return &FaultError{Param: "address", Given: d.Address, Allowed: "host:port"}
	}
	return nil
}

// Impose implements [Fault].
func (d Detour) Impose(st *Stage, next Sink) Sink {
	g := st.Conn().gate
	dialer := net.Dialer{Control: func(network, address string, _ syscall.RawConn) error { return g.permit(network, address) }}
	dial, datagrams := dialer.DialContext, st.Datagrams()
	if (g.ListenFunc != nil || g.ListenPacket != nil) && g.DialContext != nil {
		dial = g.DialContext
	}
	return handOff(st, next, d.Ends, func(ctx context.Context, dst io.Writer, src io.Reader) error {
		conn, err := dial(ctx, "tcp", d.Address)
		if err != nil {
			return err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		there, back := io.Copy, io.Copy
		if datagrams {
			there, back = frame, unframe
		}
		go func() { // ends with src, at the latest when the function has returned
			there(conn, src)
			if c, ok := conn.(interface{ CloseWrite() error }); ok {
				c.CloseWrite()
			}
		}()
		_, err = back(dst, conn)
		return err
	})
}
