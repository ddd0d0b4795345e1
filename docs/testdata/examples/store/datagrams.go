package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// again is after how long a client of datagrams asks again.
const again = 100 * time.Millisecond

// largest is how many bytes of a value an answer has room for.
const largest = 32 << 10

// ServeUDP answers whoever asks by a datagram, until the socket is closed.
func ServeUDP(conn net.PacketConn) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			conn.WriteTo([]byte(reply(string(buf[:n]))), from)
		}
	}
}

// reply answers one request.
func reply(request string) string {
	number, question, _ := strings.Cut(request, " ")
	key, ok := strings.CutPrefix(question, "GET ")
	if !ok {
		return fmt.Sprintf("%s ERROR unknown request %q", number, question)
	}
	v := value(key)
	v = v[:min(len(v), largest)]
	return fmt.Sprintf("%s OK %08x %s", number, checksum(v), v)
}

// A UDPClient asks a server for values by datagrams. When no answer comes it asks again, and it knows answers to earlier requests by their
// numbers.
type UDPClient struct {
	addr   string
	conn   net.Conn
	number int
}

// DialUDP returns a client of the server at an address.
func DialUDP(addr string) *UDPClient { return &UDPClient{addr: addr} }

// Get returns the value that is stored under a key.
func (c *UDPClient) Get(ctx context.Context, key string) (string, error) {
	if c.conn == nil {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "udp", c.addr)
		if err != nil {
			return "", err
		}
		c.conn = conn
	}
	c.number++
	var err error
	for range timeout / again {
		if _, err = fmt.Fprintf(c.conn, "%d GET %s", c.number, key); err == nil {
			var answer string
			if answer, err = c.answer(time.Now().Add(again)); err == nil {
				return checked(answer)
			}
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%w: %w", ErrTimeout, err)
}

// answer returns what comes to the latest request.
func (c *UDPClient) answer(until time.Time) (string, error) {
	c.conn.SetReadDeadline(until)
	buf := make([]byte, 64<<10)
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			return "", err
		}
		if text, ok := strings.CutPrefix(string(buf[:n]), fmt.Sprintf("%d ", c.number)); ok {
			return text, nil
		}
	}
}

// checked returns the value of an answer.
func checked(answer string) (string, error) {
	if text, ok := strings.CutPrefix(answer, "ERROR "); ok {
		return "", fmt.Errorf("%w: %s", ErrServer, text)
	}
	sum, v, _ := strings.Cut(strings.TrimPrefix(answer, "OK "), " ")
	if !strings.HasPrefix(answer, "OK ") || sum != fmt.Sprintf("%08x", checksum(v)) {
		return "", ErrCorrupt
	}
	return v, nil
}
