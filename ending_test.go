//go:build linux

package chaos

import "testing"

// TestAnEndingHearsAReset has the peers answer the gate's FIN with a reset that nobody but the ending reads. It then has
// nothing left to wait for, though the kernel counts the FIN as under way for good.
func TestAnEndingHearsAReset(t *testing.T) {
	a, client := socketPair(t, "tcp")
	b, server := socketPair(t, "tcp")
	c := &Conn{gate: new(Gate), how: FullClose}
	c.client.open(c, a)
	c.server.open(c, b)
	c.client.closeWrite()
	c.server.closeWrite()
	socketReset(client)
	socketReset(server)
	eventually(t, "both resets to be read", func() bool { return wasReset(a) && wasReset(b) })
	c.finish()
	if !c.client.reset.Load() || !c.server.reset.Load() {
		t.Errorf("the ending heard resets: %v of the client, %v of the server, want both", c.client.reset.Load(), c.server.reset.Load())
	}
}
