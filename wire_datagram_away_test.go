//go:build linux

package chaos_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// TestWireDatagramServerAway is row 32 with the gate in hand: that the server's host refuses is counted each time and told once, and
// is the end of no session.
func TestWireDatagramServerAway(t *testing.T) {
	t.Run("row32_counted_and_told_once", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, nil)
		p.greet(t, p.client)
		conn, known, address := p.gate.Conns()[0], p.seen.String(), p.server.LocalAddr().String()
		for outage := range 2 {
			if err := p.server.Close(); err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				write(t, p.client, fmt.Appendf(nil, "lost %d", i))
				want := int64(5*outage + i + 1)
				soon(t, fmt.Sprintf("refusal %d is counted", want), func() bool { return p.gate.Stats().Refused >= want })
				if got := p.gate.Stats().Refused; got != want {
					t.Fatalf("%d refused, want %d", got, want)
				}
			}
			if got := p.gate.Stats(); got.Live != 1 || got.Lost+got.SendErrors+got.DialErrors != 0 || got.DatagramsToServer != int64(6*outage+6) {
				t.Errorf("got %+v, want one session that has sent %d datagrams", got, 6*outage+6)
			}
			p.server = openDatagrams(t, address)
			write(t, p.client, []byte("found"))
			p.hears(t, "found")
			if p.seen.String() != known {
				t.Errorf("the server sees the client at %v, and has seen it at %s", p.seen, known)
			}
			p.answers(t, "here again")
			wantDatagram(t, p.client, "here again")
			wantNothing(t, p.server)
			wantNothing(t, p.client)
			soon(t, "the outage is told", func() bool { return len(p.gate.events(chaos.EventDialError)) > outage })
			told := p.gate.events(chaos.EventDialError)
			if len(told) != outage+1 || told[outage].Conn != conn.Ordinal() || told[outage].Err == "" {
				t.Errorf("%d outages are told as %v", outage+1, told)
			}
		}
		if live := p.gate.Conns(); len(live) != 1 || live[0] != conn {
			t.Errorf("live are %v, want %v", live, conn)
		}
	})
	t.Run("row32_a_burst_into_an_outage", func(t *testing.T) {
		leavesNothing(t)
		p := newDatagramPair(t, nil)
		p.greet(t, p.client)
		address := p.server.LocalAddr().String()
		if err := p.server.Close(); err != nil {
			t.Fatal(err)
		}
		// Taken together, so that one call sends many, and fails in their midst.
		setDoor(t, p.gate.Gate, chaos.Hold)
		for i := range 50 {
			write(t, p.client, fmt.Appendf(nil, "lost %d", i))
		}
		setDoor(t, p.gate.Gate, chaos.Open)
		p.gate.takesAll(t)
		soon(t, "all were sent", func() bool { return p.gate.Stats().DatagramsToServer == 51 })
		time.Sleep(5 * time.Millisecond) // the last refusal is on its way back
		st := p.gate.Stats()
		t.Logf("50 datagrams to a server that is away: %d refusals", st.Refused)
		if st.Refused < 1 || st.Refused > 50 || st.SendErrors+st.Lost != 0 || st.Live != 1 {
			t.Errorf("got %+v, want 1 to 50 refused and no other loss", st)
		}
		if told := p.gate.events(chaos.EventDialError); len(told) != 1 {
			t.Errorf("told were %v, want one dial error", told)
		}
		p.server = openDatagrams(t, address)
		setDoor(t, p.gate.Gate, chaos.Hold)
		for i := range 50 {
			write(t, p.client, fmt.Appendf(nil, "found %d", i))
		}
		setDoor(t, p.gate.Gate, chaos.Open)
		for i := range 50 {
			p.hears(t, fmt.Sprintf("found %d", i))
		}
		wantNothing(t, p.server)
	})
}
