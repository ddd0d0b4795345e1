//go:build linux

package wiretest

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// TestSockets looks at both ends of a connection while it is open, half-closed and over, over both families.
func TestSockets(t *testing.T) {
	for _, at := range []struct{ network, listen, dial string }{
		{"tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"tcp6", "[::1]:0", "::1"},
		{"tcp", "[::]:0", "127.0.0.1"}, // one end is IPv4, the other a mapped address of IPv6
	} {
		t.Run(at.listen, func(t *testing.T) {
			ln, err := net.Listen(at.network, at.listen)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			port := ln.Addr().(*net.TCPAddr).Port
			client, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.ParseIP(at.dial), Port: port})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			server, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			sees := func(clientIs, serverIs string, queued int64) {
				t.Helper()
				var all []Socket
				for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
					if all, err = Sockets(port); err != nil {
						t.Fatal(err)
					}
					one := slices.IndexFunc(all, func(s Socket) bool {
						return s.Remote == client.RemoteAddr().(*net.TCPAddr).AddrPort() && s.State == clientIs
					})
					other := slices.IndexFunc(all, func(s Socket) bool {
						return s.Local.Port() == uint16(port) && s.Remote == client.LocalAddr().(*net.TCPAddr).AddrPort() && s.State == serverIs && s.Queued == queued
					})
					if len(all) == 2 && one >= 0 && other >= 0 {
						return
					}
				}
				t.Errorf("got %v, want the client's socket in %s, the server's in %s with %d bytes queued", all, clientIs, serverIs, queued)
			}
			sees("ESTABLISHED", "ESTABLISHED", 0)
			client.Write([]byte("hello"))
			sees("ESTABLISHED", "ESTABLISHED", 5)
			client.CloseWrite()
			sees("FIN_WAIT2", "CLOSE_WAIT", 6) // the FIN counts for a byte
			if _, err := io.ReadAll(server); err != nil {
				t.Fatal(err)
			}
			server.Close()
			if left, err := Gone(5*time.Second, port); err != nil || len(left) > 0 {
				t.Errorf("got %v and the error %v after both ends have closed, want none: TIME_WAIT is no socket, nor is a listener", left, err)
			}
		})
	}
}
