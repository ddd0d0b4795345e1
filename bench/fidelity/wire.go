package main

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/chaosgate/chaos"
)

// patience is how long anything may take that is not to take any time: past it something hangs.
const patience = 20 * time.Second

// A wire is a server and the way to it: straight, which is the control, or through a gate.
type wire struct {
	gate     *chaos.Gate      // nil if it is straight
	listener *net.TCPListener // the server, of tcp
	packets  *net.UDPConn     // the server, of udp
}

// newWire opens a server and, if it is to be through one, a gate before it.
func newWire(network string, through bool, seed uint64) (*wire, error) {
	w := &wire{}
	server := ""
	if network == "udp" {
		s, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		s.SetReadBuffer(4 << 20) // the kernel gives what it may
		w.packets, server = s, s.LocalAddr().String()
	} else {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		w.listener, server = l, l.Addr().String()
	}
	if !through {
		return w, nil
	}
	w.gate = &chaos.Gate{Network: network, Server: server, Seed: seed}
	if err := w.gate.Start(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// newWires opens a control, straight or a gate of its own, and a gate.
func newWires(network string, straight bool, seed uint64) (control, gate *wire, err error) {
	if control, err = newWire(network, !straight, seed); err != nil {
		return nil, nil, err
	}
	if gate, err = newWire(network, true, seed); err != nil {
		return nil, nil, errors.Join(err, control.close())
	}
	return control, gate, nil
}

// address is where clients connect to.
func (w *wire) address() string {
	switch {
	case w.gate != nil:
		return w.gate.Addr()
	case w.packets != nil:
		return w.packets.LocalAddr().String()
	}
	return w.listener.Addr().String()
}

// impose sets what the flow to the server suffers; a straight wire suffers nothing.
func (w *wire) impose(faults ...chaos.Fault) {
	if w.gate != nil {
		w.gate.ToServer.Set(faults...)
	}
}

// close ends the wire: the faults first, so that nothing is waited for.
func (w *wire) close() (err error) {
	if w.gate != nil {
		err = errors.Join(w.gate.Heal(), w.gate.Close())
	}
	if w.listener != nil {
		err = errors.Join(err, w.listener.Close())
	}
	if w.packets != nil {
		err = errors.Join(err, w.packets.Close())
	}
	return err
}

// closeAll closes wires.
func closeAll(wires ...*wire) error {
	var errs []error
	for _, w := range wires {
		errs = append(errs, w.close())
	}
	return errors.Join(errs...)
}

// connect opens a connection of tcp and returns both its ends.
func (w *wire) connect() (client, server *net.TCPConn, err error) {
	c, err := net.DialTimeout("tcp", w.address(), patience)
	if err != nil {
		return nil, nil, err
	}
	client = c.(*net.TCPConn)
	w.listener.SetDeadline(time.Now().Add(patience))
	if server, err = w.listener.AcceptTCP(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the server: %w", err), client.Close())
	}
	end := time.Now().Add(patience)
	return client, server, errors.Join(client.SetDeadline(end), server.SetDeadline(end))
}

// connectThrough connects, and has the server say a byte that the client hears. The gate then knows that both are there; before, what a
// client resets is given up.
func (w *wire) connectThrough() (client, server *net.TCPConn, err error) {
	if client, server, err = w.connect(); err != nil {
		return nil, nil, err
	}
	if _, err = server.Write([]byte{1}); err == nil {
		_, err = client.Read(make([]byte, 1))
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the first byte: %w", err), client.Close(), server.Close())
	}
	return client, server, nil
}
