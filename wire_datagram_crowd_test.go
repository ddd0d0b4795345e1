//go:build linux

package chaos_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/internal/wiretest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// newCrowd opens so many clients of a server with a gate before it, all of them greeted.
func newCrowd(t *testing.T, n int, prepare func(*chaos.Gate)) (*wiretest.Crowd, *datagramGate) {
	t.Helper()
	n, err := wiretest.CrowdSize(n)
	if err != nil {
		t.Fatal(err)
	}
	var g *datagramGate
	e := &wiretest.Env{Network: "udp4", Logf: t.Logf, Via: func(server string) string {
		gate := &chaos.Gate{Network: "udp", Server: server}
		if prepare != nil {
			prepare(gate)
		}
		g = startDatagramGate(t, gate)
		return g.Addr()
	}}
	c, err := wiretest.NewCrowd(e, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, g
}

func exchange(t *testing.T, c *wiretest.Crowd, rounds int) {
	t.Helper()
	if err := c.Exchange(rounds); err != nil {
		t.Fatal(err)
	}
}

// TestWireDatagramCrowd is row 30 with the gate in hand: what it says of a thousand sessions is what clients and server see.
func TestWireDatagramCrowd(t *testing.T) {
	t.Run("row30_what_the_gate_says_of_its_sessions", func(t *testing.T) {
		leavesNothing(t)
		const rounds = 2
		c, g := newCrowd(t, 1000, nil)
		n := len(c.Clients)
		exchange(t, c, rounds)

		conns := g.Conns()
		if len(conns) != n {
			t.Fatalf("%d clients have %d sessions", n, len(conns))
		}
		byClient := map[string]chaos.ConnInfo{}
		var bytes [2]int64
		for i, conn := range conns {
			info := conn.Info()
			if info.Ordinal != uint64(i+1) {
				t.Errorf("session %d in Conns has the ordinal %d", i+1, info.Ordinal)
			}
			if info.State != chaos.Established || info.DatagramsToServer != rounds || info.DatagramsToClient != rounds ||
				info.Front != g.Addr() || info.Server != c.Server.LocalAddr().String() || info.Dropped != 0 {
				t.Errorf("got %+v, want %d datagrams each way between %s and %v", info, rounds, g.Addr(), c.Server.LocalAddr())
			}
			byClient[info.Client] = info
			bytes[0] += info.ToServer
			bytes[1] += info.ToClient
		}
		for i, client := range c.Clients {
			info, ok := byClient[client.LocalAddr().String()]
			if back := c.Seen(i).String(); !ok || info.Back != back {
				t.Errorf("client %d at %v, whom the server sees at %s: got %+v", i, client.LocalAddr(), back, info)
			}
		}
		want := chaos.Stats{
			Accepted: int64(n), Opened: int64(n), Live: n, ToServer: bytes[0], ToClient: bytes[1],
			DatagramsToServer: int64(n * rounds), DatagramsToClient: int64(n * rounds),
		}
		wantStats(t, g, want)

		// CloseConns ends sessions, and the next datagram of each client begins another.
		was := map[netip.AddrPort]bool{}
		for i := range c.Clients {
			was[c.Seen(i)] = true
		}
		g.CloseConns(chaos.All)
		if live := g.Conns(); len(live) != 0 {
			t.Fatalf("after CloseConns %d sessions are live", len(live))
		}
		c.Forget()
		exchange(t, c, 1)
		same := 0
		for i := range c.Clients {
			if was[c.Seen(i)] {
				same++ // the kernel may give a port again that was freed
			}
		}
		if same > n/5 {
			t.Errorf("%d of %d new sessions come from a port that the server has seen before", same, n)
		}
		st := g.Stats()
		if st.Accepted != int64(2*n) || st.Closed["gate"] != int64(n) || st.Live != n || st.Lost+st.Dropped+st.KernelDrops != 0 {
			t.Errorf("got %+v, want %d sessions of which the gate has closed half", st, 2*n)
		}
	})
}

// TestWireDatagramCloseConns holds that CloseConns has ended sessions when it returns: each client's next datagram begins another, from
// another port, and the answer to it comes back.
func TestWireDatagramCloseConns(t *testing.T) {
	leavesNothing(t)
	c, g := newCrowd(t, 300, nil)
	exchange(t, c, 1)
	rounds := sized(10, 1000)
	for range rounds {
		g.CloseConns(chaos.All)
		if live := g.Conns(); len(live) != 0 {
			t.Fatalf("after CloseConns %d sessions are live", len(live))
		}
		c.Forget()
		exchange(t, c, 1)
	}
	n := int64(len(c.Clients))
	if st := g.Stats(); st.Accepted != n*int64(rounds+1) || st.Live != len(c.Clients) || st.Lost+st.Dropped+st.SendErrors != 0 {
		t.Errorf("got %+v, want %d sessions in %d rounds that have lost nothing", st, n, rounds+1)
	}
}

// wantStats compares a gate's figures when they have come to rest: a datagram is counted when it was sent, and its receiver may be
// faster than that.
func wantStats(t *testing.T, g *datagramGate, want chaos.Stats) {
	t.Helper()
	var diff string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) { // nothing tells of the rest
		if diff = cmp.Diff(want, g.Stats(), cmpopts.EquateEmpty()); diff == "" {
			return
		}
	}
	t.Errorf("the gate's figures (-want +got):\n%s", diff)
}
