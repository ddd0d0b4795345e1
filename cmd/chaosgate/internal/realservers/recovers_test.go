//go:build linux

package realservers

import (
	"context"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
)

const (
	// recoversWithin is how long a client may take to work again. A client that was still waiting for a black hole gets
	// in at its next SYN, which is seconds later.
	recoversWithin = 30 * time.Second
	// meetsWithin is how long it may take until a client has met a condition.
	meetsWithin = 30 * time.Second
)

// A harm is a condition under which clients fail.
type harm struct {
	name               string
	toServer, toClient chaos.Fault           // what is imposed
	door               chaos.Door            // or how new connections are received
	end                func(*chaos.Gate) int // or what ends connections, which behind a door is what makes clients connect
	meets              func(error) bool      // tells of an error whether it is one that the harm causes
}

var harms = []harm{
	{name: "all connections are reset", end: resetAll, meets: broken},
	{name: "all connections are closed", end: closeAll, meets: broken},
	{name: "close on data to the server", toServer: chaos.CloseOnData{}, meets: broken},
	{name: "close on data to the client", toClient: chaos.CloseOnData{}, meets: broken},
	{name: "reset on data to the server", toServer: chaos.CloseOnData{Reset: true}, meets: broken},
	{name: "reset on data to the client", toClient: chaos.CloseOnData{Reset: true}, meets: broken},
	{name: "limit to the server", toServer: chaos.Limit{Bytes: 1024}, meets: broken},
	{name: "limit to the client", toClient: chaos.Limit{Bytes: 1024}, meets: broken},
	{name: "limit to the server with reset", toServer: chaos.Limit{Bytes: 1024, Reset: true}, meets: broken},
	{name: "limit to the client with reset", toClient: chaos.Limit{Bytes: 1024, Reset: true}, meets: broken},
	{name: "stall to the server", toServer: chaos.Stall{}, meets: timedOut},
	{name: "stall to the client", toClient: chaos.Stall{}, meets: timedOut},
	{name: "stall both ways", toServer: chaos.Stall{}, toClient: chaos.Stall{}, meets: timedOut},
	{name: "discard to the server", toServer: chaos.Discard{}, meets: timedOut},
	{name: "discard to the client", toClient: chaos.Discard{}, meets: timedOut},
	{name: "vanish both ways", toServer: chaos.Vanish{}, toClient: chaos.Vanish{}, meets: timedOut},
	{name: "the door refuses", door: chaos.Refuse, end: resetAll, meets: refused},
	{name: "the door holds", door: chaos.Hold, end: resetAll, meets: timedOut},
	{name: "the door is a black hole", door: chaos.Blackhole, end: resetAll, meets: timedOut},
}

func resetAll(g *chaos.Gate) int { return g.ResetConns(chaos.All) }
func closeAll(g *chaos.Gate) int { return g.CloseConns(chaos.All) }

// timedOut tells whether an error is that of a client's own deadline.
func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout())
}

// broken tells whether an error is that of a connection which has ended.
func broken(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// TestPostgresRecovers harms clients of PostgreSQL while they work.
func TestPostgresRecovers(t *testing.T) {
	p := startPostgres(t)
	for _, h := range harms {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			g := chaostest.NewGate(t, p.addr)
			recovers(t, g, h, postgresApplication(t, p, g.Addr()))
		})
	}
}

// TestRedisRecovers harms clients of Redis while they work.
func TestRedisRecovers(t *testing.T) {
	for _, h := range harms {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			r := startRedis(t)
			g := chaostest.NewGate(t, r.addr)
			recovers(t, g, h, redisApplication(t, r, g.Addr()))
		})
	}
}

// recovers imposes a harm on clients that work, until they have met it, lifts it, and checks that they work again and
// that what they have done is right.
func recovers(t *testing.T, g *chaos.Gate, h harm, app application) {
	t.Helper()
	c := startCrew(t, app)
	c.awaitSuccesses(t, 20)
	if errs := c.met(0); len(errs) > 0 {
		t.Logf("%d errors with nothing imposed, on a busy machine: %v", len(errs), errs[0])
	}

	before := len(c.met(0))
	imposed := h.impose(t, g)
	ended := 0 // connections
	until(t, meetsWithin, "the clients fail as they must", func() bool {
		if h.end != nil {
			ended += h.end(g)
		}
		return fired(imposed) && slices.ContainsFunc(c.met(before), h.meets)
	})
	if h.end != nil && ended == 0 {
		t.Error("the clients failed though no connection was ended")
	}
	if h.door == chaos.Hold || h.door == chaos.Blackhole {
		waitDoor(t, g)
	}

	if err := g.Heal(); err != nil {
		t.Fatal(err)
	}
	chaostest.Recovers(t, recoversWithin, func() error { return c.once(t.Context()) })
	c.awaitSuccesses(t, 20)
	c.end()
	c.check(t)
}

// impose does what the harm is, and returns the faults that it has imposed.
func (h harm) impose(t *testing.T, g *chaos.Gate) []*chaos.Imposed {
	t.Helper()
	var imposed []*chaos.Imposed
	if h.toServer != nil {
		imposed = append(imposed, g.ToServer.Add(h.toServer))
	}
	if h.toClient != nil {
		imposed = append(imposed, g.ToClient.Add(h.toClient))
	}
	if err := g.SetDoor(h.door); err != nil {
		t.Fatal(err)
	}
	return imposed
}

// fired tells whether one of the faults has fired. Where both directions are harmed, the first to be so silences the other.
func fired(imposed []*chaos.Imposed) bool {
	return len(imposed) == 0 || slices.ContainsFunc(imposed, func(i *chaos.Imposed) bool { return i.Hits() > 0 })
}

// waitDoor waits until the gate itself has seen that its door has met a connection.
func waitDoor(t *testing.T, g *chaos.Gate) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), meetsWithin)
	defer cancel()
	if err := g.WaitDoor(ctx, 1); err != nil {
		t.Errorf("the door %v has met no connection: %v", g.Door(), err)
	}
}
