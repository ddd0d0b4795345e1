package chaostest

import (
	"fmt"
	"net"
	"net/netip"
)

// carriesPackets reports whether the network is one of those with datagrams.
func carriesPackets(network string) bool {
	switch network {
	case "udp", "udp4", "udp6":
		return true
	}
	return false
}

// A packetAddr is the address of a UDP socket in an error.
type packetAddr struct{ netip.AddrPort }

func (packetAddr) Network() string { return "udp" }

// packetListenAddress is the address to bind a socket to; without a host it is the wildcard, without anything a free port of
// the loopback.
func packetListenAddress(network, address string) (netip.AddrPort, error) {
	wildcard := netip.IPv6Unspecified()
	if network == "udp4" {
		wildcard = netip.IPv4Unspecified()
	}
	if address == "" {
		if network == "udp" {
			wildcard = netip.IPv4Unspecified()
		}
		return netip.AddrPortFrom(loopback(wildcard), 0), nil
	}
	return packetAddress(network, address, wildcard)
}

// packetDialAddress is the address to connect to; the wildcard, or no host, means the loopback.
func packetDialAddress(network, address string) (netip.AddrPort, error) {
	wildcard := netip.IPv4Unspecified()
	if network == "udp6" {
		wildcard = netip.IPv6Unspecified()
	}
	to, err := packetAddress(network, address, wildcard)
	if err == nil && to.Addr().IsUnspecified() {
		to = netip.AddrPortFrom(loopback(to.Addr()), to.Port())
	}
	return to, err
}

// packetAddress reads an address of a network with datagrams.
func packetAddress(network, address string, noHost netip.Addr) (netip.AddrPort, error) {
	if !carriesPackets(network) {
		return netip.AddrPort{}, fmt.Errorf("the memory network has datagrams on udp, udp4 and udp6, not on %q", network)
	}
	at, err := parseHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ip := at.Addr()
	switch {
	case !ip.IsValid(), network == "udp4" && ip == netip.IPv6Unspecified():
		ip = noHost // [::] is no host to package net, which takes it for the wildcard of udp4 as well
	case network == "udp4" && !ip.Is4(), network == "udp6" && !ip.Is6():
		return netip.AddrPort{}, &net.AddrError{Err: "no suitable address found", Addr: ip.String()}
	}
	return netip.AddrPortFrom(ip, at.Port()), nil
}

// addrPortOf is the address that a caller of WriteTo means, on a socket of IPv6 or of IPv4; nil is the zero one. Package net takes no IP at all
// for the wildcard, and on a socket of IPv6 the wildcard of IPv4 for the other one.
func addrPortOf(a *net.UDPAddr, six bool) (netip.AddrPort, error) {
	if a == nil {
		return netip.AddrPort{}, nil
	}
	ip, ok := netip.AddrFromSlice(a.IP)
	ip = ip.Unmap()
	switch {
	case len(a.IP) == 0 || six && ip == netip.IPv4Unspecified():
		ip = netip.IPv4Unspecified()
		if six {
			ip = netip.IPv6Unspecified()
		}
	case !ok && six:
		return netip.AddrPort{}, &net.AddrError{Err: "non-IPv6 address", Addr: a.IP.String()}
	case !ok:
		return netip.AddrPort{}, &net.AddrError{Err: "non-IPv4 address", Addr: a.IP.String()}
	}
	return netip.AddrPortFrom(ip, uint16(a.Port)), nil
}
