package hub

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"
)

// A guard says which addresses gates may connect to and listen on.
//
// A gate is a way out of the machine that it runs on, for whoever may create one. So no gate reaches the daemon itself, where it would
// be trusted, nor what only the machine should reach: link-local addresses, among them those at which clouds tell a machine its secrets.
type guard struct {
	servers, listens []pattern
	own              func() []netip.AddrPort // what the daemon itself listens on; nil if on nothing
}

// A pattern is what addresses are allowed: PREFIX, PREFIX:PORT, *:PORT, or the path of unix sockets with the wildcards of [path.Match].
type pattern struct {
	text   string
	prefix netip.Prefix // of all addresses if it is not valid
	port   string       // any if empty
	file   bool
}

func newGuard(o Options) (*guard, error) {
	g := &guard{own: o.Own}
	for _, list := range []struct {
		name  string
		texts []string
		to    *[]pattern
	}{{"allow-server", o.AllowServer, &g.servers}, {"allow-listen", o.AllowListen, &g.listens}} {
		for _, text := range list.texts {
			p, err := parsePattern(text)
			if err != nil {
				return nil, invalid(list.name, fmt.Errorf("%s: %w", list.name, err))
			}
			*list.to = append(*list.to, p)
		}
	}
	return g, nil
}

// parsePattern reads a pattern.
func parsePattern(text string) (p pattern, err error) {
	refused := fmt.Errorf("got %q, want an IP address or prefix, such as 10.0.0.0/8, with a port or not, such as 127.0.0.1:6379 or *:6379, or the path of a unix socket", text)
	p.text = text
	if strings.Contains(text, "/") && !strings.ContainsAny(text[:1], "0123456789[:") {
		p.file = true
		_, err = path.Match(text, "")
		return p, err
	}
	host := text
	if h, port, err := net.SplitHostPort(text); err == nil {
		host, p.port = h, port
		if _, err := net.LookupPort("tcp", port); err != nil || port == "0" {
			return p, refused
		}
	}
	if host == "*" && p.port != "" {
		return p, nil
	}
	if p.prefix, err = netip.ParsePrefix(host); err == nil {
		p.prefix = p.prefix.Masked()
		return p, nil
	}
	if inside, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inside, "]") {
		host = strings.TrimSuffix(inside, "]")
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return p, refused
	}
	p.prefix, err = at.Unmap().Prefix(at.Unmap().BitLen())
	return p, err
}

// allows reports whether the pattern is one of an address.
func (p pattern) allows(network, address string) bool {
	if network == "unix" || p.file {
		ok, _ := path.Match(p.text, address)
		return p.file && network == "unix" && ok
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return false
	}
	if p.port != "" && p.port != fmt.Sprint(at.Port()) {
		return false
	}
	return !p.prefix.IsValid() || p.prefix.Contains(at.Addr().Unmap().WithZone(""))
}

// permit says why a gate must not connect to an address, which is no name any more, if so.
func (g *guard) permit(network, address string) error {
	if err := g.check(network, address); err != nil {
		return &Error{Forbidden, "server", fmt.Errorf("%s: %w", address, err)}
	}
	return nil
}

func (g *guard) check(network, address string) error {
	if !strings.HasPrefix(network, "unix") {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if strings.HasPrefix(network, "tcp") && g.isOwn(at) {
			return errors.New("is the daemon's own: no gate connects to it")
		}
		if isForMachines(at.Addr()) && !g.names(network, address) {
			return errors.New("is a link-local or metadata address: no gate connects to it, unless --allow-server names it")
		}
	}
	if !allowed(g.servers, network, address) {
		return errors.New("is none that --allow-server allows")
	}
	return nil
}

// metadata is where clouds tell machines about themselves, beside link-local addresses.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("100.100.100.200"),
}

// isForMachines reports whether an address is one that only the machine itself should reach.
func isForMachines(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || slices.Contains(metadata, ip)
}

// names reports whether an address is allowed by a pattern that means addresses of its sort.
func (g *guard) names(network, address string) bool {
	return slices.ContainsFunc(g.servers, func(p pattern) bool {
		return p.prefix.IsValid() && isForMachines(p.prefix.Addr()) && p.allows(network, address)
	})
}

// allowed reports whether one of the patterns allows an address, or there is none.
func allowed(patterns []pattern, network, address string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p pattern) bool { return p.allows(network, address) })
}

// isOwn reports whether who connects to an address reaches the daemon.
func (g *guard) isOwn(at netip.AddrPort) bool {
	if g.own == nil {
		return false
	}
	for _, own := range g.own() {
		if own.Port() != at.Port() {
			continue
		}
		ip := at.Addr().Unmap().WithZone("")
		if own.Addr().Unmap() == ip || ip.IsUnspecified() || own.Addr().IsUnspecified() && isOurs(ip) {
			return true
		}
	}
	return false
}

// isOurs reports whether an address is one of this machine's.
func isOurs(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true // it cannot be told, so it is not risked
	}
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == ip {
			return true
		}
	}
	return false
}

// listen says why a gate must not listen on an address, if so.
func (g *guard) listen(network, address string) error {
	at := cmp.Or(address, "127.0.0.1:0")
	if network != "unix" {
		resolved, err := net.ResolveTCPAddr("tcp", at)
		if err != nil { // to bind it says why
			return nil
		}
		at = resolved.AddrPort().String()
		if resolved.IP == nil {
			at = net.JoinHostPort("::", fmt.Sprint(resolved.Port))
		}
	}
	if allowed(g.listens, network, at) {
		return nil
	}
	return &Error{Forbidden, "listen", fmt.Errorf("listen: %s is none that --allow-listen allows", address)}
}
