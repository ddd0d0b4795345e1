package chaos_test

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// TestBeginClose checks that a gate leaves its address at once, while a peer that does not read still has something to get.
func TestBeginClose(t *testing.T) {
	for _, network := range []string{"tcp4", "udp4", "unix"} {
		t.Run(network, func(t *testing.T) {
			listen := "127.0.0.1:0"
			if network == "unix" {
				listen = filepath.Join(t.TempDir(), "gate")
			}
			server := listen
			if network == "udp4" {
				server = echoOn(t, network)
			} else {
				if network == "unix" {
					server = filepath.Join(t.TempDir(), "server")
				}
				deaf, err := net.Listen(network, server)
				if err != nil {
					t.Fatal(err)
				}
				defer deaf.Close()
				server = deaf.Addr().String()
			}
			gate := &chaos.Gate{Network: network, Listen: listen, Server: server}
			if err := gate.Start(); err != nil {
				t.Fatal(err)
			}
			client, err := net.Dial(network, gate.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			client.SetWriteDeadline(time.Now().Add(time.Second / 4))
			for range 1000 { // more than the buffers on the way hold
				if _, err := client.Write(make([]byte, 32<<10)); err != nil {
					break
				}
			}
			if err := gate.WaitConns(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			wait := gate.BeginClose()
			if live := gate.Conns(); len(live) > 0 {
				t.Errorf("got %d connections, want none", len(live))
			}
			again := &chaos.Gate{Network: network, Listen: gate.Addr(), Server: server}
			if err := again.Start(); err != nil {
				t.Errorf("at the same address: %v", err)
			}
			defer again.Close()
			if err := wait(); err != nil {
				t.Log(err) // what was destroyed
			}
		})
	}
}
