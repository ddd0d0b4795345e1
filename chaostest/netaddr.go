package chaostest

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// The ports that the network gives away. Those of clients are the dynamic ports of RFC 6335; listeners have numbers of their
// own, so that which one a listener gets does not depend on how often somebody has dialled.
const (
	firstListenPort, lastListenPort = 40001, 49151
	firstLocalPort, lastLocalPort   = 49152, 65535
)

var loopback4 = net.IPv4(127, 0, 0, 1).To4()

// listenAddress is the address to listen on; without a host it is the wildcard, without anything a free port of the loopback.
func listenAddress(network, address string) (net.Addr, error) {
	if network == "tcp" && address == "" {
		return &net.TCPAddr{IP: loopback4}, nil
	}
	return parseAddress(network, address, net.IPv6unspecified)
}

// dialAddress is the address to connect to; the wildcard, or no host, means the loopback.
func dialAddress(network, address string) (net.Addr, error) {
	addr, err := parseAddress(network, address, loopback4)
	switch to, ok := addr.(*net.TCPAddr); {
	case !ok:
	case to.IP.Equal(net.IPv4zero):
		to.IP = loopback4
	case to.IP.Equal(net.IPv6unspecified):
		to.IP = net.IPv6loopback
	}
	return addr, err
}

// parseAddress reads an address of the network. A nil net.Addr, and no other, comes with an error.
func parseAddress(network, address string, noHost net.IP) (net.Addr, error) {
	switch network {
	case "unix":
		return &net.UnixAddr{Net: "unix", Name: address}, nil
	case "tcp":
	default:
		return nil, unknownNetwork(network)
	}
	host, err := parseHostPort(address)
	switch {
	case err != nil:
		return nil, err
	case !host.Addr().IsValid():
		return &net.TCPAddr{IP: noHost, Port: int(host.Port())}, nil
	}
	return &net.TCPAddr{IP: host.Addr().AsSlice(), Port: int(host.Port())}, nil
}

// parseHostPort reads a host, which is an IP address, localhost or empty, and a port. The empty host is the zero
// [netip.Addr].
func parseHostPort(address string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port %q of %q is not a number from 0 to 65535", service, address)
	}
	var ip netip.Addr
	switch host {
	case "":
	case "localhost":
		ip = loopback(netip.IPv4Unspecified())
	default:
		if ip, err = netip.ParseAddr(host); err != nil {
			return netip.AddrPort{}, &net.DNSError{Err: "the memory network has no names but localhost", Name: host, IsNotFound: true}
		}
	}
	return netip.AddrPortFrom(ip.Unmap().WithZone(""), uint16(port)), nil
}

// leavesChoice reports whether the network is to choose the port, or the name of a unix socket.
func leavesChoice(addr net.Addr) bool {
	if a, ok := addr.(*net.TCPAddr); ok {
		return a.Port == 0
	}
	return addr.String() == ""
}

// withPort returns addr with the choice made. A chosen unix name is an abstract one, as the kernel's own choice is.
func withPort(addr net.Addr, port int) net.Addr {
	if a, ok := addr.(*net.TCPAddr); ok {
		return &net.TCPAddr{IP: a.IP, Port: port}
	}
	return &net.UnixAddr{Net: "unix", Name: "@" + strconv.Itoa(port)}
}

// nextPort counts from first to last and begins again.
func nextPort(port, first, last int) int {
	if port < first || port >= last {
		return first
	}
	return port + 1
}

// sameAddress reports whether a and b are the same.
func sameAddress(a, b net.Addr) bool {
	return a.Network() == b.Network() && a.String() == b.String()
}

// overlaps reports whether somebody dialling one address can meet a listener on the other: they are the same, or have the
// same port and one of them is a wildcard of the other's family; [::] is of both.
func overlaps(a, b net.Addr) bool {
	x, ok1 := a.(*net.TCPAddr)
	y, ok2 := b.(*net.TCPAddr)
	if !ok1 || !ok2 {
		return sameAddress(a, b)
	}
	return x.Port == y.Port && (x.IP.Equal(y.IP) || covers(x.IP, y.IP) || covers(y.IP, x.IP))
}

// covers reports whether wildcard is one, and ip an address that it stands for.
func covers(wildcard, ip net.IP) bool {
	return wildcard.Equal(net.IPv6unspecified) || wildcard.Equal(net.IPv4zero) && ip.To4() != nil
}

// sourceFor is the address from which a machine talks to its own address ip: the same one, but in 127.0.0.0/8, where the
// routing table says 127.0.0.1.
func sourceFor(ip netip.Addr) netip.Addr {
	if ip.Is4() && ip.IsLoopback() {
		return loopback(ip)
	}
	return ip
}

// loopback is the loopback address of ip's version.
func loopback(ip netip.Addr) netip.Addr {
	if ip.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}
