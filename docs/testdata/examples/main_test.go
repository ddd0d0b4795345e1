package examples

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/chaosgate/chaos/docs/testdata/examples/store"
)

// db is the server of the examples: where it listens on TCP, on a unix socket, and for datagrams.
var db struct{ Addr, Socket, UDP string }

func TestMain(m *testing.M) { os.Exit(serve(m)) }

// serve runs the examples before a server.
func serve(m *testing.M) int {
	dir, err := os.MkdirTemp("", "examples-")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir)
	db.Socket = filepath.Join(dir, "db.sock")
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return failed(err)
	}
	defer tcp.Close()
	db.Addr = tcp.Addr().String()
	unix, err := net.Listen("unix", db.Socket)
	if err != nil {
		return failed(err)
	}
	defer unix.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return failed(err)
	}
	defer udp.Close()
	db.UDP = udp.LocalAddr().String()
	go store.Serve(tcp)
	go store.Serve(unix)
	go store.ServeUDP(udp)
	return m.Run()
}

// failed says why no example can run.
func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
