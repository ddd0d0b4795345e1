//go:build linux

package wiretest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// roomy is the receive buffer of the harness's own sockets, so that what is lost is not lost here. Who is not root gets the
// system's maximum, and Drops tells what that has cost.
const roomy = 64 << 20

// datagramAddress returns the address that a server of datagrams is bound to.
func (e *Env) datagramAddress() string {
	if e.Network == "udp6" {
		return "[::1]:0"
	}
	return "127.0.0.1:0"
}

// ListenDatagrams opens a server's socket, with a roomy buffer. A port that a server has had, and wants back, may have been given to
// somebody else meanwhile, for a short time as clients' ports are: that is waited for.
func ListenDatagrams(network, address string) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: bufferControl(roomy)}
	for end := time.Now().Add(5 * time.Second); ; {
		c, err := lc.ListenPacket(context.Background(), network, address)
		if err == nil {
			return c.(*net.UDPConn), nil
		}
		if !errors.Is(err, unix.EADDRINUSE) || time.Now().After(end) {
			return nil, err
		}
		time.Sleep(2 * time.Millisecond) // nothing tells when a port is free
	}
}

// DialDatagrams opens a client's connected socket, with a roomy buffer: it hears nothing but what comes from the very address
// that it sends to.
func DialDatagrams(target string) (*net.UDPConn, error) {
	d := net.Dialer{Control: bufferControl(roomy)}
	c, err := d.Dial("udp", target)
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// A DatagramSocket is one UDP socket of this machine.
type DatagramSocket struct {
	Local, Remote netip.AddrPort
	Queued        int64 // bytes received that nobody has read, with what it costs to keep them
	Drops         int64 // datagrams that found the receive buffer full
}

// DatagramSockets returns the UDP sockets that have one of the ports on either side.
func DatagramSockets(ports ...int) ([]DatagramSocket, error) {
	var found []DatagramSocket
	for _, file := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 13 || f[0] == "sl" {
				continue
			}
			s := DatagramSocket{Local: procAddress(f[1]), Remote: procAddress(f[2])}
			if _, rx, ok := strings.Cut(f[4], ":"); ok {
				s.Queued, _ = strconv.ParseInt(rx, 16, 64)
			}
			s.Drops, _ = strconv.ParseInt(f[12], 10, 64)
			if slices.Contains(ports, int(s.Local.Port())) || slices.Contains(ports, int(s.Remote.Port())) {
				found = append(found, s)
			}
		}
	}
	return found, nil
}

// Drops returns how many datagrams have found the receive buffers of sockets full that are bound to a port.
func Drops(port int) (drops int64, err error) {
	all, err := DatagramSockets(port)
	for _, s := range all {
		if int(s.Local.Port()) == port {
			drops += s.Drops
		}
	}
	return drops, err
}

// PortOf returns the port of an address.
func PortOf(address net.Addr) int { return portOf(address.String()) }

// ReceiveBuffer returns the size of a socket's receive buffer, with what the kernel adds for what it costs to keep a datagram.
func ReceiveBuffer(c *net.UDPConn) (size int, err error) {
	ferr := withFD(c, func(fd int) { size, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF) })
	if ferr != nil {
		return 0, ferr
	}
	return size, err
}
