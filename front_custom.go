package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// listenCustom listens through a test's own function and finds out what the doors can do
// with what it returns: a listener with SetDoor(Door) error keeps its door itself, a TCP
// listener is as good as the gate's own, and any other can be held and shut.
func listenCustom(ctx context.Context, network, address string, custom listenFunc) (doorway, error) {
	ln, err := custom(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if own, ok := ln.(ownDoor); ok {
		return &ownDoorway{own}, nil
	}
	if t, ok := ln.(*net.TCPListener); ok && boundExplicitly(t, address) {
		return tcpDoors(t, network)
	}
	if wantsAnyPort(address) {
		if a, ok := ln.Addr().(*net.TCPAddr); ok {
			address = a.String()
		}
	}
	// The context may end with Start, but listening again comes much later.
	ctx = context.WithoutCancel(ctx)
	return &plainDoorway{ln: ln, again: func() (net.Listener, error) { return custom(ctx, network, address) }}, nil
}

// boundExplicitly reports whether a listener keeps its port when it is shut down. One that
// was bound to port 0 loses it.
func boundExplicitly(t *net.TCPListener, address string) bool {
	_, port, err := net.SplitHostPort(address)
	a, ok := t.Addr().(*net.TCPAddr)
	return err == nil && ok && port == strconv.Itoa(a.Port)
}

// wantsAnyPort reports whether the address leaves the port to the kernel.
func wantsAnyPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && (port == "" || port == "0")
}

// An ownDoor is a listener that knows doors, such as the memory network's. It may also
// have DoorHits() int64.
type ownDoor interface {
	net.Listener
	SetDoor(Door) error
}

// An ownDoorway leaves everything to the listener.
type ownDoorway struct{ ln ownDoor }

func (o *ownDoorway) allows(Door) error      { return nil }
func (o *ownDoorway) turn(_, to Door) error  { return o.ln.SetDoor(to) }
func (o *ownDoorway) listener() net.Listener { return o.ln }
func (o *ownDoorway) answersItself() bool    { return true }
func (o *ownDoorway) ours(net.Conn) bool     { return false }
func (o *ownDoorway) close() error           { return o.ln.Close() }

func (o *ownDoorway) hits(Door) int64 {
	if h, ok := o.ln.(interface{ DoorHits() int64 }); ok {
		return h.DoorHits()
	}
	return 0
}

// A plainDoorway can hold a listener by not accepting. It refuses by closing it, and
// listens again at the same address: between the two the address is free, and another
// may take it. That always serves to shut; whether it is good enough for a door, the
// platform says.
type plainDoorway struct {
	ln      net.Listener
	again   func() (net.Listener, error)
	refuses bool
	where   string // "on windows", or nothing for a test's own listener
}

func (p *plainDoorway) allows(d Door) error {
	_, interruptible := p.ln.(deadliner)
	switch {
	case d == Open, d == Hold && interruptible, d == Refuse && p.refuses:
		return nil
	case p.where != "":
		return fmt.Errorf("the door cannot be %v %s: %w", d, p.where, errors.ErrUnsupported)
	case d == Hold:
		return fmt.Errorf("the door cannot be %v: the Accept of a %T cannot be interrupted, for it has no SetDeadline: %w", d, p.ln, errors.ErrUnsupported)
	default:
		return fmt.Errorf("the door cannot be %v: a %T has no SetDoor, and is no TCP listener bound to a port that was named: %w", d, p.ln, errors.ErrUnsupported)
	}
}

func (p *plainDoorway) turn(from, to Door) error {
	switch {
	case to == Refuse:
		return p.shut()
	case from == Refuse:
		return p.reopen()
	}
	return nil
}

func (p *plainDoorway) shut() error {
	if err := p.ln.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (p *plainDoorway) reopen() error {
	ln, err := p.again()
	if err != nil {
		return err
	}
	if was, is := p.ln.Addr().String(), ln.Addr().String(); was != is {
		ln.Close()
		return fmt.Errorf("listening again gave %s, and clients know %s", is, was)
	}
	p.ln = ln
	return nil
}

func (p *plainDoorway) listener() net.Listener { return p.ln }
func (p *plainDoorway) answersItself() bool    { return false }
func (p *plainDoorway) ours(net.Conn) bool     { return false }
func (p *plainDoorway) close() error           { return p.ln.Close() }

// hits is not known: only the kernel or the listener sees the queue.
func (p *plainDoorway) hits(Door) int64 { return 0 }
