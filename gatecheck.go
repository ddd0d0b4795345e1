package chaos

import (
	"errors"
	"fmt"
	"net"
)

// check refuses a gate that cannot work.
func (g *Gate) check() error {
	switch g.network() {
	case "tcp", "tcp4", "tcp6", "unix":
	default:
		return fmt.Errorf("network: got %q, want tcp, tcp4, tcp6 or unix", g.Network)
	}
	if g.Server == "" {
		return errors.New("server: got an empty address, want the address to connect to")
	}
	if _, _, err := net.SplitHostPort(g.Server); err != nil && g.resets() && g.DialContext == nil {
		return fmt.Errorf("server: got %q, want HOST:PORT", g.Server)
	}
	if g.Window < 0 {
		return fmt.Errorf("window: got %d, want a number of bytes", g.Window)
	}
	if g.Memory < 0 {
		return fmt.Errorf("memory: got %d, want a number of bytes", g.Memory)
	}
	for _, f := range []*Flow{&g.ToServer, &g.ToClient} {
		for _, i := range f.Imposed() {
			if err := Check(g.network(), i.Fault()); err != nil {
				return err
			}
		}
	}
	return nil
}

// isItself reports whether a gate would connect to itself: a storm that ends only when descriptors run out.
func isItself(listen, server string) bool {
	host, port, err := net.SplitHostPort(server)
	own, ownPort, ownErr := net.SplitHostPort(listen)
	if err != nil || ownErr != nil {
		return listen == server
	}
	ip, ownIP := net.ParseIP(host), net.ParseIP(own)
	local := host == "localhost" || host == "" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
	return port == ownPort && (host == own || local && ownIP != nil && (ownIP.IsUnspecified() || host == "localhost" && ownIP.IsLoopback()))
}
