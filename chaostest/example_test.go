package chaostest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
)

// t stands for the test's own. TestExamples sets it.
var t *testing.T

// TestExamples runs the examples, whose failures are those of a test and not an output.
func TestExamples(own *testing.T) {
	for name, example := range map[string]func(){
		"NewGate": ExampleNewGate, "Fired": ExampleFired, "Recovers": ExampleRecovers,
		"NewNetwork": ExampleNewNetwork, "Network.ListenPacket": ExampleNetwork_ListenPacket, "TestFault": ExampleTestFault, "TestFault_traits": ExampleTestFault_traits,
	} {
		own.Run(name, func(own *testing.T) {
			t = own
			example()
		})
	}
}

// startEcho starts a server that sends back what it gets.
func startEcho(t *testing.T) (address string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return ln.Addr().String()
}

// ask connects to an address, sends a line and reads the answer: the client under test.
func ask(address, line string) (answer string, err error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintln(conn, line)
	return bufio.NewReader(conn).ReadString('\n')
}

func ExampleNewGate() {
	gate := chaostest.NewGate(t, startEcho(t)) // closed at the end of the test
	gate.ToServer.Set(chaos.CloseOnData{})
	if _, err := ask(gate.Addr(), "hello"); !errors.Is(err, io.EOF) {
		t.Errorf("a server that closes: got %v, want EOF", err)
	}
}

func ExampleFired() {
	gate := chaostest.NewGate(t, startEcho(t))
	slow := gate.ToClient.Add(chaos.Delay{By: 10 * time.Millisecond})
	if answer, err := ask(gate.Addr(), "hello"); answer != "hello\n" {
		t.Errorf("a slow server: got %q, %v", answer, err)
	}
	chaostest.Fired(t, slow) // a fault that never fired proves nothing
}

func ExampleRecovers() {
	gate := chaostest.NewGate(t, startEcho(t))
	if err := gate.SetDoor(chaos.Refuse); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(gate.Addr(), "hello"); err == nil {
		t.Error("the server is down, and there was an answer")
	}
	if err := gate.Heal(); err != nil {
		t.Fatal(err)
	}
	chaostest.Recovers(t, 5*time.Second, func() error {
		_, err := ask(gate.Addr(), "hello")
		return err
	})
}

// An hour of delay takes no time in virtual time.
func ExampleNewNetwork() {
	synctest.Test(t, func(t *testing.T) {
		network := chaostest.NewNetwork()
		servers, err := network.Listen(context.Background(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		defer servers.Close()
		gate := chaostest.NewGate(t, servers.Addr().String(), func(g *chaos.Gate) {
			g.ListenFunc, g.DialContext = network.Listen, network.Dial
		})
		gate.ToServer.Set(chaos.Delay{By: time.Hour})

		client, err := network.Dial(context.Background(), "tcp", gate.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := servers.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		start := time.Now()
		io.WriteString(client, "hello")
		io.ReadFull(server, make([]byte, 5))
		if took := time.Since(start); took != time.Hour {
			t.Errorf("got it after %v, want exactly an hour", took)
		}
	})
}

// Every second datagram is lost.
func ExampleNetwork_ListenPacket() {
	synctest.Test(t, func(t *testing.T) {
		network := chaostest.NewNetwork()
		server, err := network.ListenPacket(context.Background(), "udp", "")
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		gate := chaostest.NewGate(t, server.LocalAddr().String(), func(g *chaos.Gate) {
			g.Network, g.ListenPacket, g.DialContext = "udp", network.ListenPacket, network.Dial
		})
		gate.ToServer.Set(chaos.Lose{Every: 2})

		client, err := network.Dial(context.Background(), "udp", gate.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for i := range 3 {
			fmt.Fprintf(client, "query %d", i)
		}
		for _, want := range []string{"query 0", "query 2"} {
			p := make([]byte, 100)
			n, _, err := server.ReadFrom(p)
			if got := string(p[:n]); got != want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
	})
}

// A Rot13 is a fault of one's own.
type Rot13 struct{}

// Impose implements [chaos.Fault].
func (Rot13) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		for i, b := range s.Data {
			if letter := b | 0x20; 'a' <= letter && letter <= 'z' {
				s.Data[i] = b&0x20 | ((b&0x1f-1+13)%26 + 1) | 0x40
				st.Hit(1)
			}
		}
		next(s)
	}
}

func ExampleTestFault() {
	chaostest.TestFault(t, Rot13{})
}

// A fault that does something on purpose says so.
func ExampleTestFault_traits() {
	chaostest.TestFault(t, chaos.Discard{Resume: true}, chaostest.Traits{
		Except: map[chaostest.Rule]string{chaostest.RuleHole: "a stream with a hole is what Resume asks for"},
	})
}
