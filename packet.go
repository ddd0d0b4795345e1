package chaos

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// listenPacket opens the sockets of a gate of datagrams. An empty address is a free port of the loopback interface.
func listenPacket(ctx context.Context, g *Gate) (sockets, error) {
	address := g.Listen
	if address == "" {
		address = "127.0.0.1:0"
		if g.network() == "udp6" {
			address = "[::1]:0"
		}
	}
	if g.ListenPacket == nil && g.DialContext == nil && kernelPackets {
		return listenKernel(ctx, g.network(), address, g.permit)
	}
	return listenConns(ctx, g, address)
}

// resolve returns the addresses that a host and a port stand for on a network.
func resolve(ctx context.Context, network, address string) ([]netip.AddrPort, error) {
	if at, err := netip.ParseAddrPort(address); err == nil && fits(network, at.Addr()) {
		return []netip.AddrPort{at}, nil
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		host = "localhost"
	}
	family := map[string]string{"udp4": "ip4", "udp6": "ip6"}[network]
	if family == "" {
		family = "ip"
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, family, host)
	if err != nil {
		return nil, err
	}
	var ats []netip.AddrPort
	for _, ip := range ips {
		if ip = ip.Unmap(); fits(network, ip) {
			ats = append(ats, netip.AddrPortFrom(ip, uint16(port)))
		}
	}
	if len(ats) == 0 {
		return nil, fmt.Errorf("%s has no address for %s", host, network)
	}
	return ats, nil
}

// fits reports whether an address is one of a network's.
func fits(network string, ip netip.Addr) bool {
	switch network {
	case "udp4":
		return ip.Unmap().Is4()
	case "udp6":
		return !ip.Unmap().Is4()
	}
	return true
}
