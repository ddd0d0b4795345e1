package chaostest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// packetScripts are run on real UDP sockets of this machine and on the memory network, and the traces must be the same. Who
// plays is told by [packetCast], what they can do by [packetPlayer.do].
var packetScripts = []struct{ name, script string }{
	{"sizes", "c write 0; s recv 9; c write 1; s recv 9; c write 508; s recv 900; c write 65507; s recv 70000; c write 65507; s read 70000"},
	{"sizes of answers", "s send c 0; c read 9; s send c 1; c read 9; s send c 65507; c read 70000; s send c 65507; c recv 70000"},
	{"sizes too large", "c write 65508; c write 65527; c write 65528; c write 65536; c write 3; s send c 65508; s send c 65528; s send c 70000"},
	{"a refusal waits for a size too large", "e write 1; e write 65528; e write 70000; e write 1; e write 1; e read 1"},
	{"truncation", "c write 10; c write 10; s recv 4; s read 20; s send c 10; s send c 3; c read 9; c recv 9"},
	{"truncation to nothing", "c write 10; c write 11; s recv 0; s read 0; s read 20; s recv 0"},
	{"empty datagrams", "c write 0; c write 0; s read 5; s recv 5; s recv 5"},
	{"order", "c write 1; d write 2; u send s 3; c write 4; s recv 9; s recv 9; s recv 9; s recv 9; s recv 9"},
	{"answers go to whom they belong", "c write 1; d write 2; s send d 3; s send c 4; c recv 9; d recv 9; c read 9; d read 9"},
	{"a socket hears itself", "s send s 5; s recv 9; u send u 4; u recv 9"},
	{"the wildcard is the sender", "u send any 4; s recv 9; s send any 5; s recv 9"},
	{"the port 0", "u send nowhere 1; u recv 1"},
	{"a connected socket hears its peer alone", "u send c 5; d send c 5; s send c 6; c read 9; c read 9"},
	{"no address to write to", "s write 1; u write 0; u read 1"},
	{"an address too many", "c send s 5; c send u 5; c send nobody 5; s read 9; c close; c send s 5"},
	{"nobody: the next Read", "e write 1; e read 9; e read 9"},
	{"nobody: the next Write, which sends nothing", "e write 1; e write 1; e read 9"},
	{"nobody: every second Write", "e write 1; e write 0; e write 1; e write 0; e write 1; e recv 9; e recv 9"},
	{"nobody: an empty Read asks nobody", "e write 1; e read 0; e recv 0; e recv 9"},
	{"nobody: who is not connected hears nothing", "u send nobody 5; u send nobody 5; u recv 9; s send nobody 0; s send nobody 1; s read 1"},
	{"a parked Read is refused", "e park; e write 1; e join; e read 9"},
	{"a refusal and the deadline", "e write 1; e past; e read 9; e write 1; e future; e read 9; e read 9"},
	{"a refusal and Close", "e write 1; e close; e read 9; e write 1; e close"},
	{"a refusal goes before the data", "s send c 5; s close; c write 1; c read 9; c read 9; c read 9"},
	{"a refusal by a Write goes before the data", "s send c 5; s close; c write 1; c write 1; c read 9; c read 9"},
	{"a stranger is refused", "d write 1; s send u 3; u send c 3; u recv 9; u recv 9"},
	{"the server goes and comes", "c write 1; s close; c write 2; c read 9; c write 3; s again; c write 4; c write 5; s recv 9; s recv 9; s send c 6; c read 9"},
	{"what waits is lost by Close", "c write 1; s close; s again; s read 9; c read 9; c write 2; s recv 9"},
	{"the address is in use", "s again; s close; s again; s again; c write 3; s recv 9"},
	{"the client goes", "c write 1; s recv 9; s recv 9; c close; s send u 2; s recv 9; u recv 9"},
	{"after own close", "c close; c read 1; c read 0; c recv 1; c write 1; c write 70000; c past; c close; s close; s send c 1; s recv 1; s write 1; s past; s close"},
	{"a parked Read and a datagram", "s park; c write 5; s join; c park; s send c 5; c join"},
	{"a parked Read and an empty datagram", "s park; c write 0; s join; c park; s send c 0; c join"},
	{"a parked Read and own close", "s park; s close; s join; c park; c close; c join"},
	{"a parked Read and a deadline", "s park; s past; s join; s future; c write 5; s read 9"},
	{"a parked Read and what is filtered", "c park; u send c 5; s send c 6; c join"},
	{"a deadline with data there", "c write 5; s past; s recv 9; s send c 4; s future; s recv 9; c read 9"},
	{"a full buffer loses the newest", "c flood 1000 508; s drain; c write 5; s recv 9"},
	{"a full buffer of empty ones has an end", "c flood 1000 0; s drain; c write 5; s recv 9"},
	{"a full buffer has room as soon as it is read", "c flood 20 65507; s read 70000; s read 70000; c write 9; s drain; s drain"},
	{"a full buffer is nobody else's", "c flood 1000 508; s send d 3; d read 9; s send c 4; c read 9"},
	{"two clients at a full buffer", "c flood 600 600; d flood 600 600; s drain; d write 5; s recv 9"},
}

// packetHosts are what the server is bound to and what its clients call.
var packetHosts = []struct{ name, bound, called string }{
	{"version 4", "127.0.0.1", "127.0.0.1"},
	{"version 6", "[::1]", "[::1]"},
	{"wildcard, version 4", "", "127.0.0.1"},
	{"wildcard, version 6", "", "[::1]"},
	{"wildcard, another loopback", "", "127.9.9.9"},
	{"another loopback", "127.9.9.9", "127.9.9.9"},
}

func TestPacketsAreLikeTheKernel(t *testing.T) {
	for _, host := range packetHosts {
		for _, tt := range packetScripts {
			t.Run(host.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				comparePacketsWithKernel(t, host.bound, host.called, tt.script)
			})
		}
	}
}

// TestPacketsAreLikeTheKernelAtRandom plays what nobody has thought of.
func TestPacketsAreLikeTheKernelAtRandom(t *testing.T) {
	scripts := 200
	switch {
	case os.Getenv("CHAOSGATE_SOAK") != "":
		scripts = 10_000
	case testing.Short():
		scripts = 40
	}
	deeds := []string{
		"write 3", "write 7", "write 0", "write 66000", "send s 4", "send c 5", "send d 6", "send u 8", "send nobody 1",
		"read 2", "read 9", "read 0", "recv 9", "recv 0", "past", "future", "close",
	}
	for seed := range uint64(scripts) {
		host := packetHosts[seed%uint64(len(packetHosts))]
		rnd := rand.New(rand.NewPCG(seed, 1))
		var lines []string
		for range 3 + rnd.IntN(10) {
			who := []string{"s", "s", "s", "c", "c", "d", "u", "e"}[rnd.IntN(8)]
			deed := deeds[rnd.IntN(len(deeds))]
			if deed == "close" && rnd.IntN(2) == 0 {
				who, deed = "s", "again"
			}
			lines = append(lines, who+" "+deed)
		}
		script := strings.Join(lines, "; ")
		t.Run(fmt.Sprintf("%s/%d", host.name, seed), func(t *testing.T) {
			t.Parallel()
			comparePacketsWithKernel(t, host.bound, host.called, script)
		})
	}
}

// comparePacketsWithKernel is compareWithKernel for datagrams. A slower run mends here, too, that the kernel sends only so many
// messages of ICMP a second.
func comparePacketsWithKernel(t *testing.T, bound, called, script string) {
	t.Helper()
	real := packetNetwork{net.ListenPacket, net.Dial}
	if strings.HasPrefix(called, "[") {
		if l, err := net.ListenPacket("udp", called+":0"); err != nil {
			t.Skip("this machine has no IPv6: ", err)
		} else {
			l.Close()
		}
	}
	var mem string
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		cast := newPacketCast(t, packetNetwork{
			func(network, address string) (net.PacketConn, error) {
				return n.ListenPacket(t.Context(), network, address)
			},
			func(network, address string) (net.Conn, error) { return n.Dial(t.Context(), network, address) },
		}, bound, called)
		mem = playPackets(t, script, cast, synctest.Wait, time.Second)
	})
	var kernel string
	for pause := time.Millisecond; pause <= 100*time.Millisecond; pause *= 10 {
		// The pause is real because it is the kernel that is waited for, and it gives no sign that all has arrived.
		kernel = playPackets(t, script, newPacketCast(t, real, bound, called), func() { time.Sleep(pause) }, 5*pause)
		if kernel == mem {
			return
		}
	}
	t.Errorf("%s by %s: %s\nthe memory network: got\n%s\nwant, as the kernel has it,\n%s", bound, called, script, mem, kernel)
}
