package chaostest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The kernel is the oracle: a script is run on a pair of real sockets and on the memory network, and the traces must be the
// same. A line of a script is an end ("c" is the client, "s" the server), what it does, and a number of bytes if that needs
// one. What it can do is in [scriptPlayer.do].

// unixNeverWakes is left out on unix sockets: there the kernel does not tell a poller with full buffers that its own side was
// shut down, and the Write hangs until the peer reads. The memory network ends it, as on TCP.
const unixNeverWakes = "c push; c fin; c join; c write 1"

// kernelScripts are run on TCP, and on unix sockets as well if nothing in them resets by linger.
var kernelScripts = []struct{ name, script string }{
	{"bytes both ways", "c write 5; s read 5; s write 7; c read 7"},
	{"an empty write and an empty read", "c write 0; s read 0; c write 1; s read 1"},
	{"client half-closes, server goes on", "c write 5; c fin; s read 9; s write 7; c read 7; s fin; c read 1; s close; c close"},
	{"server half-closes, client goes on", "s write 5; s fin; c read 9; c write 7; s read 7; c fin; s read 1; c close; s close"},
	{"write after own FIN", "c fin; c write 1; c write 0; c write 1"},
	{"FIN twice", "c fin; c fin; s read 1"},
	{"FIN after both FINs", "c fin; s fin; c fin; s fin; c write 1; s write 1; c read 1; s read 1"},
	{"EOF again and again", "c fin; s read 1; s read 1; c close; s read 1"},
	{"close after everything was read", "c write 5; s read 5; c close; s read 1; s close"},
	{"close delivers what was written", "c write 500; c close; s read 900; s read 1"},
	{"write to a closed peer, then write", "c close; s write 3; s write 3; s write 3; s read 1"},
	{"write to a closed peer, then read", "c close; s write 3; s read 1; s write 3"},
	{"read EOF, then write to a closed peer", "c close; s read 1; s write 3; s read 1; s write 3; s read 1"},
	{"write to a closed peer, then the rest of the data", "c write 9; c close; s write 3; s read 4; s write 3; s read 9; s read 1"},
	{"FIN after a write to a closed peer", "c close; s write 3; s fin; s close"},
	{"close with unread data, peer reads", "s write 5; c write 4; c close; s read 4; s read 1; s read 1; s write 1"},
	{"close with unread data, peer writes", "s write 5; c write 4; c close; s write 1; s write 1; s read 4; s read 1"},
	{"close with unread data after half reading", "s write 5; c read 2; c close; s read 1; s read 1"},
	{"close with unread data and the peer's FIN", "s write 5; s fin; c close; s read 1; s read 1; s write 1"},
	{"close with unread data after own FIN", "c fin; s write 5; c close; s read 1; s write 1; s write 1; s read 1"},
	{"close with unread data after both FINs", "s write 5; s fin; c fin; c close; s read 1; s write 1"},
	{"reset an idle peer, it reads", "c rst; s read 1; s read 1; s write 1"},
	{"reset an idle peer, it writes", "c rst; s write 1; s write 1; s read 1"},
	{"reset after data: the data survives", "c write 300; c write 300; c rst; s read 200; s read 900; s read 1"},
	{"reset after data, but a write comes first", "c write 30; c rst; s write 1; s read 90; s read 1; s write 1"},
	{"reset after own FIN", "c write 30; c fin; c rst; s read 90; s write 1; s write 1"},
	{"reset after own FIN that was read", "c fin; s read 1; c rst; s read 1; s write 1; s write 1; s read 1"},
	{"reset after the peer's FIN", "s fin; c read 1; c rst; s read 1; s read 1; s write 1"},
	{"reset after both FINs is none", "s fin; c fin; c rst; s read 1; s read 1; s write 1"},
	{"FIN on a reset connection", "c rst; s fin; s read 1; s fin; s close"},
	{"reset against reset", "c rst; s rst; c read 1; s read 1"},
	{"empty write on a reset connection", "c rst; s write 0; s read 1; s write 0"},
	{"deadline passed with data there", "c write 5; s past; s read 5; s future; s read 5"},
	{"deadline passed with EOF there", "c fin; s past; s read 5; s write 1; s future; s read 5; s write 1"},
	{"deadline passed on a closed connection", "s close; s past; s read 1; s write 1; s fin; s close"},
	{"after own close", "c close; c read 1; c read 0; c write 1; c write 0; c fin; c close"},
	{"parked read and data", "s park; c write 5; s join"},
	{"parked read and FIN", "s park; c fin; s join; s park; s join"},
	{"parked read and close", "s park; c close; s join"},
	{"parked read and reset", "s park; c rst; s join; s read 1"},
	{"parked read and own close", "s park; s close; s join"},
	{"parked read and a deadline", "s park; s past; s join; s future; c write 1; s read 1"},
	{"parked read and a write of its own to a closed peer", "c fin; c close; s write 1; s park; s join; s write 1"},
	{"full buffers and a deadline", "c fill; c past; c write 1; c future; s drain; c write 1; s read 1"},
	{"full buffers and the peer's close", "c fill; s close; c write 1; c write 1; c read 1"},
	{"full buffers and the peer's reset", "c fill; s rst; c write 1; c write 1; c read 1"},
	{"full buffers and own FIN", "c fill; c fin; s drain; s read 1; c write 1"},
	{"parked write and the peer's close", "c push; s close; c join; c write 1; c read 1"},
	{"parked write and the peer's reset", "s write 9; c push; s rst; c join; c write 1; c read 20"},
	{"parked write and own close", "c push; c close; c join"},
	{"parked write and own FIN", unixNeverWakes},
	{"parked write and a deadline", "c push; c past; c join; c future; s drain; c write 1; s read 1"},
}

func TestNetworkIsLikeTheKernel(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, tt := range kernelScripts {
			if network == "unix" && (strings.Contains(tt.script, "rst") || tt.script == unixNeverWakes) {
				continue
			}
			t.Run(network+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				compareWithKernel(t, network, tt.script)
			})
		}
	}
}

// TestNetworkIsLikeTheKernelAtRandom plays what nobody has thought of.
func TestNetworkIsLikeTheKernelAtRandom(t *testing.T) {
	scripts := 60
	switch {
	case os.Getenv("CHAOSGATE_SOAK") != "":
		scripts = 5000
	case testing.Short():
		scripts = 15
	}
	for _, network := range []string{"tcp", "unix"} {
		deeds := []string{"write 3", "write 3", "write 0", "read 2", "read 4", "read 0", "fin", "close", "past", "future"}
		if network == "tcp" {
			deeds = append(deeds, "rst")
		}
		for seed := range uint64(scripts) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			var lines []string
			for range 3 + rnd.IntN(8) {
				lines = append(lines, []string{"c ", "s "}[rnd.IntN(2)]+deeds[rnd.IntN(len(deeds))])
			}
			script := strings.Join(lines, "; ")
			t.Run(fmt.Sprintf("%s/%d", network, seed), func(t *testing.T) {
				t.Parallel()
				compareWithKernel(t, network, script)
			})
		}
	}
}

// compareWithKernel runs the script on both. The kernel's side needs real time for packets to arrive, and a busy machine may
// need more of it, so a difference counts only if it stays when every step is given a hundred times as long.
func compareWithKernel(t *testing.T, network, script string) {
	t.Helper()
	var mem string
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		l, err := n.Listen(t.Context(), network, "")
		if err != nil {
			t.Fatal(err)
		}
		c, err := n.Dial(t.Context(), network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		mem = playScript(t, script, c, netAccept(t, l), synctest.Wait, time.Second)
	})
	var kernel string
	for pause := time.Millisecond; pause <= 100*time.Millisecond; pause *= 10 {
		c, s := kernelPair(t, network)
		// The pause is real because it is the kernel that is waited for, and it gives no sign that all has arrived.
		kernel = playScript(t, script, c, s, func() { time.Sleep(pause) }, 20*pause)
		if kernel == mem {
			return
		}
	}
	t.Errorf("%s: %s\nthe memory network: got\n%s\nwant, as the kernel has it,\n%s", network, script, mem, kernel)
}

// kernelPair returns the two ends of a connection of real sockets with small buffers.
func kernelPair(t *testing.T, network string) (c, s net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	var lc net.ListenConfig
	lc.SetMultipathTCP(false) // an accepted MPTCP socket has some answers of its own
	l, err := lc.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	s = netAccept(t, l)
	for _, end := range []net.Conn{c, s} {
		b := end.(interface {
			SetReadBuffer(int) error
			SetWriteBuffer(int) error
		})
		if err := errors.Join(b.SetReadBuffer(64<<10), b.SetWriteBuffer(64<<10)); err != nil {
			t.Fatal(err)
		}
	}
	return c, s
}
