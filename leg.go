package chaos

import (
	"net"
	"sync/atomic"
)

// A leg is one of the two sockets of a connection.
type leg struct {
	of        *Conn
	conn      net.Conn
	own, peer net.Addr // the gate's address and the peer's; their texts are made when asked for
	watched   watched
	reset     atomic.Bool // the peer has reset it, or is dead
	shut      atomic.Bool // our FIN was sent
	closed    bool        // the serving goroutine's own
}

// open makes the leg stand on a socket.
func (l *leg) open(of *Conn, conn net.Conn) {
	l.of, l.conn, l.own, l.peer = of, conn, conn.LocalAddr(), conn.RemoteAddr()
}

// name tells whose leg it is.
func (l *leg) name() string {
	if l == &l.of.server {
		return "server"
	}
	return "client"
}

func (l *leg) watch() { l.watched = watch(l.conn, l) }

// heard is called when the leg was reset, by whoever notices first.
func (l *leg) heard() { l.of.heard(l) }

// stirred is called when something can be read that the leg's pump, at rest, does not wait for.
func (l *leg) stirred() {
	way := ToServer
	if l == &l.of.server {
		way = ToClient
	}
	l.of.mu.Lock()
	f := l.of.lines[way]
	l.of.mu.Unlock()
	f.nudge()
}

// died reports whether a socket that says EOF was reset. Either the reset is still to be read, or something has consumed it:
// then the socket is closed although we have not sent our FIN there, which nothing else does. The order matters: our FIN
// may be sent, and answered, in between.
func (l *leg) died() bool {
	reset, closed := lastState(l.conn)
	return reset || closed && !l.shut.Load()
}

// A place is the text of an address.
type place string

func (p place) Network() string { return "" }
func (p place) String() string  { return string(p) }

// text returns an address's text, empty if there is none.
func text(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
