//go:build linux

package wiretest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// resetDuringDial is row 17: a client that resets is no longer dialled for.
func resetDuringDial(e *Env) error {
	hole, err := NewBlackHole()
	if err != nil {
		return err
	}
	defer hole.Close()
	target := e.Via(hole.Addr())
	if target == hole.Addr() {
		return nil // directly, the client itself is the one who dials
	}
	client, err := e.dial(target, 0)
	if err != nil {
		return err
	}
	defer client.Close()
	dialling := func(s Socket) bool { return s.State == "SYN_SENT" && int(s.Remote.Port()) == portOf(hole.Addr()) }
	if err := eventually(e.patience(), func() error {
		all, err := Sockets(portOf(hole.Addr()))
		if err == nil && !slices.ContainsFunc(all, dialling) {
			err = errors.New("nobody dials the server")
		}
		return err
	}); err != nil {
		return err
	}
	if err := Reset(client); err != nil {
		return err
	}
	left, err := GoneExcept(500*time.Millisecond, func(s Socket) bool { return !dialling(s) }, portOf(hole.Addr()))
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("500ms after the client's reset its server is still being dialled: %v", left)
	}
	left, err = Gone(500*time.Millisecond, portOf(target))
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("left of a client that reset: %v", left)
	}
	return err
}

// finDuringDial is the rest of row 17: a client that has shut its side, which may be all it has to say, is dialled for all the same.
func finDuringDial(e *Env) error {
	hole, err := NewBlackHole()
	if err != nil {
		return err
	}
	defer hole.Close()
	target := e.Via(hole.Addr())
	if target == hole.Addr() {
		return nil
	}
	client, err := e.dial(target, 0)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := client.Write([]byte("hello")); err != nil {
		return err
	}
	if err := client.CloseWrite(); err != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond) // the FIN has arrived by then, and the dial still hangs
	ln, err := hole.Release()
	if err != nil {
		return err
	}
	defer ln.Close()
	server, err := accept(ln, e.patience())
	if err != nil {
		return fmt.Errorf("the server was not dialled to the end: %w", err)
	}
	defer server.Close()
	end := time.Now().Add(e.patience())
	if err := errors.Join(server.SetDeadline(end), client.SetDeadline(end)); err != nil {
		return err
	}
	if got, err := readAll(server); err != nil || string(got) != "hello" {
		return fmt.Errorf("the server got %q, %v, want the client's hello and its FIN", got, err)
	}
	if _, err := server.Write([]byte("thanks")); err != nil {
		return err
	}
	if err := server.Close(); err != nil {
		return err
	}
	if got, err := readAll(client); err != nil || string(got) != "thanks" {
		return fmt.Errorf("the client got %q, %v, want the server's thanks and its FIN", got, err)
	}
	return nil
}

// resetAsItConnects is row 17 for a client that resets in the moment in which its server answers: the server has no connection, or
// one that is reset, but never one that ends as if nobody had had anything to say.
func resetAsItConnects(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	for i := range e.Pick(150, 5000) {
		client, err := e.dial(r.target, 0)
		if err != nil {
			return err
		}
		if i%2 == 0 {
			_, err = client.Write([]byte("hello"))
		}
		// From at once to about when the server is reached.
		for start := time.Now(); time.Since(start) < time.Duration(i%50)*10*time.Microsecond; {
		}
		if err := errors.Join(err, Reset(client)); err != nil {
			return err
		}
		server, err := accept(r.ln, 20*time.Millisecond)
		if err != nil {
			continue // given up in time
		}
		err = server.SetDeadline(time.Now().Add(e.patience()))
		if err == nil {
			_, err = readAll(server)
		}
		server.Close()
		if !errors.Is(err, unix.ECONNRESET) {
			return fmt.Errorf("client %d has reset its connection: the server reads %s, want ECONNRESET", i, errName(cmp.Or(err, io.EOF)))
		}
	}
	return nil
}

// eventually tries until there is no error.
func eventually(within time.Duration, try func() error) error {
	for end := time.Now().Add(within); ; {
		err := try()
		if err == nil || time.Now().After(end) {
			return err
		}
		time.Sleep(time.Millisecond) // what is waited for happens in the kernel, which tells nobody
	}
}

// deadAddress returns an address where nobody listens. The socket that is bound there keeps others away until it is closed.
func deadAddress() (string, func() error, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	free := func() error { return unix.Close(fd) }
	// SO_REUSEADDR lets a listener that has it, too, take the address while this socket does not listen.
	err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	sa, serr := unix.Getsockname(fd)
	if err := errors.Join(err, serr); err != nil {
		return "", nil, errors.Join(err, free())
	}
	return fmt.Sprintf("127.0.0.1:%d", sockaddrPort(sa)), free, nil
}

// refused connects where no server is and wants to be refused, or reset at once: a gate's kernel has shaken hands by then.
func refused(e *Env, target string) error {
	client, err := e.dial(target, 0)
	if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ECONNRESET) {
		return nil
	}
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if got := readErr(client); got != "ECONNRESET" {
		return fmt.Errorf("no server: the client reads %s, want ECONNRESET", got)
	}
	return nil
}

// serverRefuses is row 18.
func serverRefuses(e *Env) error {
	address, free, err := deadAddress()
	if err != nil {
		return err
	}
	defer free()
	target := e.Via(address)
	for range 20 {
		if err := refused(e, target); err != nil {
			return err
		}
	}
	left, err := Gone(time.Second, portOf(address), portOf(target))
	left = slices.DeleteFunc(left, func(s Socket) bool { return s.State == "CLOSE" }) // the one that is only bound
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("left of the refused: %v", left)
	}
	return err
}

// serverBlackHole is row 18 for a server that does not answer: only the client's own timeout ends it.
func serverBlackHole(e *Env) error {
	hole, err := NewBlackHole()
	if err != nil {
		return err
	}
	defer hole.Close()
	target := e.Via(hole.Addr())
	d := net.Dialer{Timeout: time.Second}
	c, err := d.Dial(e.network(), target)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return nil
		}
		return err
	}
	client := c.(stream)
	defer client.Close()
	if err := client.SetReadDeadline(time.Now().Add(pick(e, time.Second, 30*time.Second))); err != nil {
		return err
	}
	if got := readErr(client); got != "timeout" {
		return fmt.Errorf("a server that does not answer: the client reads %s, want its own timeout", got)
	}
	return nil
}

// serverStartsLater is row 19: the first attempt after the server has come up succeeds.
func serverStartsLater(e *Env) error {
	address, free, err := deadAddress()
	if err != nil {
		return err
	}
	defer free()
	target := e.Via(address)
	for round := range 3 {
		if err := refused(e, target); err != nil {
			return err
		}
		ln, err := listen("tcp4", address, 0)
		if err != nil {
			return err
		}
		r := &rig{e, ln, target}
		client, server, err := r.pair()
		if err != nil {
			ln.Close()
			return fmt.Errorf("round %d, the first attempt after the server came up: %w", round, err)
		}
		_, werr := server.Write([]byte("x"))
		got := readErr(client)
		// A reset leaves no TIME_WAIT behind, so the port is free for the next round.
		if err := errors.Join(werr, Reset(client), Reset(server), ln.Close()); err != nil {
			return err
		}
		if got != `read "x"` {
			return fmt.Errorf("round %d, the first attempt after the server came up: %s", round, got)
		}
	}
	return nil
}
