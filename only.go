package chaos

import (
	"net"
	"net/netip"
)

// Only imposes the fault that it carries on some connections: those that meet all of its conditions, of which one at least is set.
// Connections are counted from 1, in the order in which the gate accepted them.
type Only struct {
	First int    `json:"first" help:"the first so many connections"`
	Nth   int    `json:"nth" help:"the connection of that number"`
	Every int    `json:"every" help:"each connection whose number is a multiple of this"`
	From  string `json:"from" help:"connections from that IP address, or from one with that prefix, such as 10.1.0.0/16"`
	Fault Fault  `json:"fault" help:"what is imposed on them"`
}

func init() {
	Register("only", "A fault that hits only certain connections.", Only{})
}

// Check implements [Checker].
func (f Only) Check(string) error {
	if _, ok := f.prefix(); f.From != "" && !ok {
		return &FaultError{Param: "from", Given: f.From, Allowed: "an IP address or a prefix, such as 10.1.0.0/16"}
	}
	if f.First == 0 && f.Nth == 0 && f.Every == 0 && f.From == "" {
		return &FaultError{Allowed: "one of first, nth, every and from at least"}
	}
	return nil
}

// Impose implements [Fault].
func (f Only) Impose(st *Stage, next Sink) Sink {
	c := &carrier{st: st, fault: f.Fault, next: next}
	c.switchTo(f.means(st.Conn()))
	return c.sink
}

// means reports whether a connection meets the conditions.
func (f Only) means(c *Conn) bool {
	n := c.Ordinal()
	if f.From != "" {
		prefix, _ := f.prefix()
		host, _, _ := net.SplitHostPort(text(c.client.peer))
		addr, err := netip.ParseAddr(host)
		if err != nil || !prefix.Contains(addr.Unmap().WithZone("")) {
			return false
		}
	}
	return (f.First == 0 || n <= uint64(f.First)) && (f.Nth == 0 || n == uint64(f.Nth)) && (f.Every == 0 || n%uint64(f.Every) == 0)
}

// prefix returns the addresses that From stands for.
func (f Only) prefix() (p netip.Prefix, ok bool) {
	if a, err := netip.ParseAddr(f.From); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(f.From)
	return p, err == nil
}
