package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"
)

func (g *Gate) network() string { return cmp.Or(g.Network, "tcp") }
func (g *Gate) window() int     { return cmp.Or(g.Window, 64<<20) }

// resets reports whether connections can be reset.
func (g *Gate) resets() bool { return strings.HasPrefix(g.network(), "tcp") }

// mustReset panics where connections cannot be reset.
func (g *Gate) mustReset() {
	if !g.resets() {
		panic(&FaultError{Kind: "reset", Param: "network", Given: g.network(), Allowed: "tcp, because only TCP has a RST"})
	}
}

// check refuses a gate that cannot work.
func (g *Gate) check() error {
	switch g.network() {
	case "tcp", "tcp4", "tcp6", "unix":
		if g.ListenPacket != nil {
			return errors.New("ListenPacket: is for datagrams, want ListenFunc")
		}
	case "udp", "udp4", "udp6":
		if g.ListenFunc != nil {
			return errors.New("ListenFunc: is for streams, want ListenPacket")
		}
	default:
		return fmt.Errorf("network: got %q, want tcp, tcp4, tcp6, udp, udp4, udp6 or unix", g.Network)
	}
	if g.Server == "" {
		return errors.New("server: got an empty address, want the address to connect to")
	}
	if _, _, err := net.SplitHostPort(g.Server); err != nil && g.network() != "unix" && g.DialContext == nil {
		return fmt.Errorf("server: got %q, want HOST:PORT", g.Server)
	}
	if g.Window < 0 {
		return fmt.Errorf("window: got %d, want a number of bytes", g.Window)
	}
	if g.Memory < 0 {
		return fmt.Errorf("memory: got %d, want a number of bytes", g.Memory)
	}
	if g.Sessions < 0 {
		return fmt.Errorf("sessions: got %d, want a number of sessions", g.Sessions)
	}
	if g.Expire < 0 {
		return fmt.Errorf("expire: got %v, want a duration", g.Expire)
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
