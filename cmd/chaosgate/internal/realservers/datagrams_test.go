//go:build linux

package realservers

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
)

// datagramGate starts a gate of datagrams before a server.
func datagramGate(t *testing.T, server string, configure ...func(*chaos.Gate)) *chaos.Gate {
	t.Helper()
	return chaostest.NewGate(t, server, append(configure, func(g *chaos.Gate) { g.Network = "udp" })...)
}

// gatePair starts two gates on one port before a server that listens for datagrams and for connections on one port.
func gatePair(t *testing.T, server string) (datagrams, streams *chaos.Gate) {
	t.Helper()
	pc, l := listenBoth(t)
	pc.Close()
	l.Close()
	at := func(g *chaos.Gate) { g.Listen = l.Addr().String() }
	return datagramGate(t, server, at), chaostest.NewGate(t, server, at)
}

// listenBoth listens on one port for datagrams and for connections.
func listenBoth(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	// Somebody else may have the one that is wanted.
	for range 10 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return pc, l
		}
		l.Close()
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
	t.Fatal("no port is free for datagrams and for connections")
	return nil, nil
}

// onlySession returns a gate's one session.
func onlySession(t *testing.T, g *chaos.Gate) *chaos.Conn {
	t.Helper()
	conns := g.Conns()
	if len(conns) != 1 {
		t.Fatalf("the gate has %d sessions, want 1: %v", len(conns), conns)
	}
	return conns[0]
}

// nothingLost fails the test if a gate has lost a datagram, by whatever means.
func nothingLost(t *testing.T, g *chaos.Gate) {
	t.Helper()
	if s := g.Stats(); s.Lost+s.Overflowed+s.KernelDrops+s.Refused+s.SendErrors > 0 {
		t.Errorf("the gate has lost %d datagrams; %d found a queue full, %d the kernel's buffer, %d a closed port and %d could not be sent",
			s.Lost, s.Overflowed, s.KernelDrops, s.Refused, s.SendErrors)
	}
}
