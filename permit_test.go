package chaos_test

import (
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// TestPermit checks that a gate asks before each connect of its own, about the address that a name stands for, and obeys.
func TestPermit(t *testing.T) {
	tests := []struct {
		name, network string
		allowed       bool
	}{
		{name: "tcp, allowed", network: "tcp4", allowed: true},
		{name: "tcp, refused", network: "tcp4"},
		{name: "udp, allowed", network: "udp4", allowed: true},
		{name: "udp, refused", network: "udp4"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := echoOn(t, test.network)
			asked := make(chan string, 10)
			dialErrors, opened := make(chan chaos.Event, 10), make(chan chaos.Event, 10)
			gate := &chaos.Gate{
				Network: test.network, Server: "localhost:" + portOf(t, server),
				Permit: func(network, address string) error {
					asked <- network + " " + address
					if !test.allowed {
						return errors.New("not there")
					}
					return nil
				},
				Observe: func(e chaos.Event) {
					switch e.Type {
					case chaos.EventDialError:
						dialErrors <- e
					case chaos.EventOpened:
						opened <- e
					}
				},
			}
			if err := gate.Start(); err != nil {
				t.Fatal(err)
			}
			defer gate.Close()
			if client, err := net.Dial(test.network, gate.Addr()); err == nil {
				defer client.Close()
				client.Write([]byte("x"))
			} else if test.allowed { // a client that is refused may hear of it before it is through
				t.Fatal(err)
			}
			if got, want := <-asked, test.network+" "+server; got != want {
				t.Errorf("asked about %s, want %s", got, want)
			}
			told := dialErrors
			if test.allowed {
				told = opened
			}
			if e := <-told; e.Took <= 0 {
				t.Errorf("got %v after %v, want some time", e, e.Took)
			}
		})
	}
}

// TestPermitDetour checks that a Detour goes nowhere that is not permitted.
func TestPermitDetour(t *testing.T) {
	server, away := echoOn(t, "tcp4"), echoOn(t, "tcp4")
	failed := make(chan chaos.Event, 10)
	var mu sync.Mutex
	var asked []string
	gate := &chaos.Gate{
		Server: server,
		Permit: func(_, address string) error {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, address)
			if address == away {
				return errors.New("not there")
			}
			return nil
		},
		Observe: func(e chaos.Event) {
			if e.Type == chaos.EventFailed {
				failed <- e
			}
		},
	}
	imposed := gate.ToServer.Add(chaos.Detour{Address: away})
	if err := gate.Start(); err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	if client, err := net.Dial("tcp", gate.Addr()); err == nil { // it may be reset before it is through
		defer client.Close()
		client.SetDeadline(time.Now().Add(20 * time.Second))
		if n, err := client.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes, want an error", n)
		}
	}
	if e := <-failed; e.Imposed != imposed {
		t.Errorf("got %v of %p, want the handle %p", e, e.Imposed, imposed)
	}
	mu.Lock()
	defer mu.Unlock()
	if slices.Sort(asked); len(asked) != 2 {
		t.Errorf("asked about %v, want the server and the detour", asked)
	}
}

// echoOn starts a server that sends back what it gets, and returns its address.
func echoOn(t *testing.T, network string) string {
	t.Helper()
	if network == "udp4" {
		conn, err := net.ListenPacket(network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var done sync.WaitGroup
		done.Go(func() {
			buf := make([]byte, 1<<16)
			for {
				n, from, err := conn.ReadFrom(buf)
				if err != nil {
					return
				}
				conn.WriteTo(buf[:n], from)
			}
		})
		t.Cleanup(func() { conn.Close(); done.Wait() })
		return conn.LocalAddr().String()
	}
	listener, err := net.Listen(network, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			done.Go(func() {
				defer conn.Close()
				buf := make([]byte, 1<<10)
				for {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					conn.Write(buf[:n])
				}
			})
		}
	})
	t.Cleanup(func() { listener.Close(); done.Wait() })
	return listener.Addr().String()
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
