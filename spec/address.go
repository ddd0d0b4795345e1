package spec

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// checkAddress refuses what is no address on a network, by its form alone.
func checkAddress(network, address string) error {
	if network == "unix" {
		return checkPath(address)
	}
	_, _, err := hostPort(address)
	return err
}

// checkPath refuses what cannot be the name of a unix socket.
func checkPath(path string) error {
	const longest = 107 // sun_path holds 108 bytes, the last of them zero: unix(7)
	switch {
	case path == "":
		return errors.New("got nothing, want the path of a unix socket")
	case len(path) > longest:
		return fmt.Errorf("got a path of %d bytes, %s, want at most %d", len(path), shown(path), longest)
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("got %s, want a path without zero bytes (an abstract name begins with @)", shown(path))
	}
	return nil
}

// hostPort splits an address such as "localhost:80" or "[::1]:80".
func hostPort(address string) (host string, port uint16, err error) {
	if address == "" {
		return "", 0, errors.New("got nothing, want HOST:PORT")
	}
	colon := strings.LastIndexByte(address, ':')
	if colon < 0 {
		return "", 0, fmt.Errorf("got %s, want HOST:PORT", shown(address))
	}
	host = address[:colon]
	n, err := strconv.ParseUint(address[colon+1:], 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("got %s, want HOST:PORT with a port from 0 to 65535", shown(address))
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		if ip, err := netip.ParseAddr(inner); !ok || err != nil || !ip.Is6() {
			return "", 0, fmt.Errorf("got %s, want an IPv6 address in brackets, such as [::1]:%d", shown(address), n)
		}
		return inner, uint16(n), nil
	}
	switch {
	case strings.Contains(host, ":"):
		return "", 0, fmt.Errorf("got %s, want HOST:PORT, with an IPv6 address in brackets", shown(address))
	case host != "" && !plain(host), strings.ContainsAny(host, `/,=@[]\`):
		return "", 0, fmt.Errorf("got %s, want HOST:PORT with a name or an IP address", shown(address))
	}
	return host, uint16(n), nil
}
