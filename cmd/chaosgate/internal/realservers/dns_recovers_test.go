//go:build linux

package realservers

import (
	"fmt"
	"testing"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/miekg/dns"
)

// An outage is a condition under which a client of datagrams has no answers.
type outage struct {
	name               string
	toServer, toClient chaos.Fault
	door               chaos.Door
	stops              bool             // the server itself
	meets              func(error) bool // tells of an error whether it is one that the outage causes
	ends               bool             // the session, so that the client has another afterwards
}

var outages = []outage{
	{name: "the server stops", stops: true, meets: timedOut}, // that the gate is refused is not to be seen behind it
	{name: "the door refuses", door: chaos.Refuse, meets: refused},
	{name: "the door holds", door: chaos.Hold, meets: timedOut},
	{name: "the door is a black hole", door: chaos.Blackhole, meets: timedOut},
	{name: "answers are discarded", toClient: chaos.Discard{}, meets: timedOut},
	{name: "questions are discarded", toServer: chaos.Discard{}, meets: timedOut},
	{name: "answers vanish", toClient: chaos.Vanish{}, meets: timedOut},
	{name: "questions vanish", toServer: chaos.Vanish{}, meets: timedOut},
	{name: "answers stall", toClient: chaos.Stall{}, meets: timedOut},
	{name: "questions stall", toServer: chaos.Stall{}, meets: timedOut},
	{name: "close on data to the server", toServer: chaos.CloseOnData{}, meets: timedOut, ends: true},
	{name: "close on data to the client", toClient: chaos.CloseOnData{}, meets: timedOut, ends: true},
	{name: "limit to the client", toClient: chaos.Limit{Bytes: 100}, meets: timedOut, ends: true},
}

// TestDNSRecovers takes the answers from a client that keeps its socket, until it has noticed, and gives them back.
func TestDNSRecovers(t *testing.T) {
	t.Parallel()
	for _, o := range outages {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			s := startDNS(t)
			g := datagramGate(t, s.addr)
			conn := dialDNS(t, "udp", g.Addr())
			n := 0
			once := func() error { n++; return askOnce(conn, n) }
			chaostest.Recovers(t, recoversWithin, once) // a busy machine may be slower than the client is patient
			before := onlySession(t, g)

			imposed := o.impose(t, g, s)
			until(t, meetsWithin, "the client fails as it must", func() bool {
				err := once()
				if err != nil && !o.meets(err) {
					t.Fatalf("the client has met another error: %v", err)
				}
				return err != nil && (len(imposed) == 0 || fired(imposed))
			})
			if o.door == chaos.Hold || o.door == chaos.Blackhole {
				waitDoor(t, g)
			}
			if o.stops && g.Stats().Refused == 0 {
				t.Error("the gate was not told that nobody listens any more")
			}

			if err := g.Heal(); err != nil {
				t.Fatal(err)
			}
			if o.stops {
				s.listenAgain(t)
			}
			chaostest.Recovers(t, recoversWithin, once)
			if same := onlySession(t, g) == before; same == o.ends {
				t.Errorf("the client has the same session as before: got %t, want %t", same, !o.ends)
			}
		})
	}
}

// impose does what the outage is, and returns the faults that it has imposed.
func (o outage) impose(t *testing.T, g *chaos.Gate, s *dnsServer) []*chaos.Imposed {
	t.Helper()
	if o.stops {
		s.stop()
	}
	return harm{toServer: o.toServer, toClient: o.toClient, door: o.door}.impose(t, g)
}

// askOnce asks one question, once, and checks the answer.
func askOnce(conn *dns.Conn, n int) error {
	client := &dns.Client{Timeout: clientTimeout}
	q := addressOf(n)
	m, _, err := client.ExchangeWithConn(ask(q, 0), conn)
	if err != nil {
		return err
	}
	if err := checkAnswer(q, m); err != nil {
		return fmt.Errorf("question %d: %w", n, err)
	}
	return nil
}
