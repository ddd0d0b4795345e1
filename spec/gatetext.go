package spec

import (
	"cmp"
	"fmt"
	"strings"
)

const gateForm = "[NAME=][tcp:|udp:|unix:]LISTEN,SERVER, such as redis=127.0.0.1:26379,127.0.0.1:6379"

// ParseGate reads a gate from one line, [NAME=][tcp:|udp:|unix:]LISTEN,SERVER. An IPv6 address stands in brackets; nothing
// before the comma is any free port. Its errors are of type [*Error].
func ParseGate(text string) (Gate, error) {
	g := Gate{Network: "tcp"}
	rest := strings.Trim(text, blanks)
	// What is before an = that belongs to an address has a colon or a slash.
	if name, behind, ok := strings.Cut(rest, "="); ok && !strings.ContainsAny(name, ":/,@[") {
		if name == "" {
			return Gate{}, gateError(text, "", "a name before =")
		}
		g.Name, rest = name, behind
	}
	address := rest
	if network, behind, ok := strings.Cut(rest, ":"); ok && isNetwork(network) {
		g.Network, rest = network, behind
	}
	listen, server, ok := strings.Cut(rest, ",")
	if !ok {
		return Gate{}, gateError(text, rest, gateForm)
	}
	if strings.Contains(server, ",") {
		return Gate{}, gateError(text, rest, "one comma, as in "+gateForm)
	}
	g.Listen, g.Server = listen, server
	if err := g.check(); err != nil {
		columns := map[string]string{"name": g.Name, "network": address, "listen": rest, "server": server}
		err.Column = columnOf(text, columns[err.Path])
		return Gate{}, err
	}
	return g, nil
}

// gateError returns the error about the tail of a gate's line.
func gateError(text, tail, allowed string) error {
	return &Error{Column: columnOf(text, tail), Err: fmt.Errorf("gate: got %s, want %s", cmp.Or(shown(text), "nothing"), allowed)}
}

// columnOf returns where the last part like that begins in a text.
func columnOf(text, part string) int { return strings.LastIndex(text, part) + 1 }

// Text returns the gate's name, network and addresses in the one-line form, of which [ParseGate] makes them again. A
// name with a colon, an equals sign, a comma, an @ or a bracket, and a path with a comma, can be written in JSON only.
func (g Gate) Text() string {
	text := g.Listen + "," + g.Server
	host, _, _ := strings.Cut(g.Listen, ":")
	// A host that is called like a network must not be taken for one.
	if network := cmp.Or(g.Network, "tcp"); network != "tcp" || isNetwork(host) {
		text = network + ":" + text
	}
	if g.Name != "" {
		text = g.Name + "=" + text
	}
	return text
}
