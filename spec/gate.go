package spec

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chaosgate/chaos"
)

// A Gate is a gate with what it imposes, as it is written down.
type Gate struct {
	Name     string     `json:"name,omitempty"`
	Network  string     `json:"network,omitempty"` // "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6" or "unix"; "tcp" if empty, which it never is when read
	Listen   string     `json:"listen,omitempty"`  // any free port of the loopback address if empty
	Server   string     `json:"server"`
	Seed     Seed       `json:"seed,omitzero"` // drawn at the start if zero
	Door     chaos.Door `json:"door,omitzero"`
	Stopped  bool       `json:"stopped,omitempty"` // it does not listen
	Window   Size       `json:"window,omitzero"`   // these four are as in [chaos.Gate]
	Memory   Size       `json:"memory,omitzero"`
	Sessions int        `json:"sessions,omitzero"`
	Expire   Duration   `json:"expire,omitzero"`
	Lease    string     `json:"lease,omitempty"` // the lease that a daemon removes it with; none if empty
	ToServer Entries    `json:"to_server,omitempty"`
	ToClient Entries    `json:"to_client,omitempty"`
}

var gateKeys = []string{
	"name", "network", "listen", "server", "seed", "door", "stopped", "window", "memory", "sessions", "expire", "lease", "to_server", "to_client",
}

var networks = []string{"tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix"}

// isNetwork reports whether a word is the name of a network.
func isNetwork(word string) bool { return slices.Contains(networks, word) }

// New returns a gate with the addresses, the seed, the door and the faults of g, that is not started: all of them hold
// before its first client can connect.
func (g Gate) New() (*chaos.Gate, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	gate := &chaos.Gate{
		Network: g.Network, Listen: g.Listen, Server: g.Server, Seed: uint64(g.Seed),
		Window: int(g.Window), Memory: int(g.Memory), Sessions: g.Sessions, Expire: time.Duration(g.Expire),
	}
	gate.ToServer.Set(g.ToServer.Faults()...)
	gate.ToClient.Set(g.ToClient.Faults()...)
	return gate, gate.SetDoor(g.Door)
}

// Check reports, as an [*Error], what cannot be right about a gate, its faults included.
func (g Gate) Check() error {
	if err := g.check(); err != nil { // a nil *Error must not become an error
		return err
	}
	return nil
}

func (g Gate) check() *Error {
	network := cmp.Or(g.Network, "tcp")
	if err := checkName(g.Name); err != nil {
		return errorf("name", "%w", err)
	}
	if !isNetwork(network) {
		return errorf("network", "%w", unknown("network", network, networks))
	}
	if err := checkAddress(network, g.Listen); err != nil && g.Listen != "" {
		return errorf("listen", "%w", err)
	}
	if err := checkAddress(network, g.Server); err != nil {
		return errorf("server", "%w", err)
	}
	if _, port, _ := hostPort(g.Server); network != "unix" && port == 0 {
		return errorf("server", "got %s, want a port above 0", shown(g.Server))
	}
	if network == "unix" && g.Door == chaos.Blackhole {
		return errorf("door", "got %v, want another, because a unix socket cannot leave a connect unanswered", g.Door)
	}
	for _, amount := range []struct {
		path  string
		value int64
	}{{"window", int64(g.Window)}, {"memory", int64(g.Memory)}, {"sessions", int64(g.Sessions)}, {"expire", int64(g.Expire)}} {
		if amount.value < 0 {
			return errorf(amount.path, "got %d, want 0 or more", amount.value)
		}
	}
	if err := checkName(g.Lease); err != nil {
		return errorf("lease", "%w", err)
	}
	ids := map[string]bool{}
	for _, flow := range []struct {
		path    string
		entries Entries
	}{{"to_server", g.ToServer}, {"to_client", g.ToClient}} {
		if err := flow.entries.check(network, ids); err != nil {
			return err.under(flow.path)
		}
	}
	return nil
}

// UnmarshalJSON reads a gate from a JSON object and checks it. Keys that are unknown or given twice are refused. If anything
// is, g stays as it is. Errors are of type [*Error].
func (g *Gate) UnmarshalJSON(data []byte) error {
	return replace(g, data, unmarshalGate)
}

func unmarshalGate(data []byte) (Gate, error) { return Gate{}.merge(data, false) }

// Merge returns the gate with what stands in a JSON object in place of what it had, as RFC 7396 has it: null is the zero value. Its errors,
// of type [*Error], may be about what it had as well.
func (g Gate) Merge(data []byte) (Gate, error) { return g.merge(data, true) }

func (g Gate) merge(data []byte, nulls bool) (Gate, error) {
	if err := valid(data); err != nil {
		return g, err
	}
	if data = bytes.TrimSpace(data); data[0] != '{' {
		return g, &Error{Err: fmt.Errorf(`got %s, want a gate such as {"listen": "127.0.0.1:26379", "server": "127.0.0.1:6379"}`, shown(string(data)))}
	}
	object, err := members(data)
	if err != nil {
		return g, &Error{Err: err}
	}
	for _, m := range object {
		if err := g.set(canonical(m.key), m.value, nulls); err != nil {
			return g, err
		}
	}
	g.Network = cmp.Or(g.Network, "tcp")
	return g, g.Check()
}

// set reads one member of a gate's object, where null may be the zero value.
func (g *Gate) set(key string, data []byte, nulls bool) error {
	fields := map[string]any{
		"name": &g.Name, "network": &g.Network, "listen": &g.Listen, "server": &g.Server, "seed": &g.Seed, "door": &g.Door,
		"stopped": &g.Stopped, "window": &g.Window, "memory": &g.Memory, "sessions": &g.Sessions, "expire": &g.Expire, "lease": &g.Lease,
		"to_server": &g.ToServer, "to_client": &g.ToClient,
	}
	field, ok := fields[key]
	if !ok {
		return &Error{Path: key, Key: true, Err: unknown("key", key, gateKeys)}
	}
	if nulls && string(data) == "null" {
		reflect.ValueOf(field).Elem().SetZero()
		return nil
	}
	err := readField(field, data)
	if err == nil {
		return nil
	}
	where, ok := errors.AsType[*Error](err)
	if !ok {
		return errorf(key, "%w", err)
	}
	return where.under(key)
}

// readField reads a JSON value into what a pointer points to.
func readField(field any, data []byte) error {
	wants := func(what string) error {
		given := shown(string(data))
		if data[0] == '"' { // it is quoted already
			given = clip(string(data))
		}
		return fmt.Errorf("got %s, want %s", given, what)
	}
	switch field := field.(type) {
	case json.Unmarshaler:
		return field.UnmarshalJSON(data)
	case *bool:
		if json.Unmarshal(data, field) != nil || string(data) == "null" {
			return wants("true or false")
		}
	case *int:
		if json.Unmarshal(data, field) != nil || string(data) == "null" {
			return wants("a whole number")
		}
	case *string:
		if data[0] != '"' {
			return wants("a string")
		}
		*field = unquote(data)
	case encoding.TextUnmarshaler:
		if data[0] != '"' {
			return wants("a string")
		}
		return field.UnmarshalText([]byte(unquote(data)))
	}
	return nil
}

// checkName refuses names that people or URLs could not tell apart.
func checkName(name string) error {
	const longest = 128
	printable := func(r rune) bool { return r == ' ' || plain(string(r)) }
	switch {
	case !utf8.ValidString(name), strings.ContainsFunc(name, func(r rune) bool { return r == '/' || !printable(r) }):
		return fmt.Errorf("got %s, want printable characters other than / and quotes", shown(name))
	case name == ".", name == "..", name != strings.TrimSpace(name):
		return fmt.Errorf("got %q, want a name", name)
	case len(name) > longest:
		return fmt.Errorf("got %s, want at most %d bytes", shown(name), longest)
	}
	return nil
}
