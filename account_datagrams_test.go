package chaos_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// accountSize is how long each datagram is of which account is kept: so many bytes dropped are so many datagrams.
const accountSize = 32

// anyFault draws a fault for datagrams that changes no size, and no number but by losing or ending. What a test's own code has in
// hand when its session ends is not accounted for, so there is no Through.
func anyFault(rng *rand.Rand, depth int) chaos.Fault {
	size := func(most int) int { return upTo(rng, most) }
	ms := func(most int) time.Duration { return time.Duration(upTo(rng, most)) * time.Millisecond }
	chance := func() float64 { return one(rng, []float64{0.01, 0.2, 0.5, 1}) }
	kinds := 23
	if depth > 2 {
		kinds = 19
	}
	switch rng.IntN(kinds) {
	case 0:
		return chaos.Delay{By: ms(500), Jitter: ms(500), Ordered: coin(rng)}
	case 1:
		return chaos.Delay{By: ms(100)}
	case 2:
		return chaos.Bandwidth{Rate: int64(100 * size(100)), Queue: int64(size(1000)), Shared: coin(rng)}
	case 3:
		return chaos.Stall{}
	case 4:
		return chaos.Discard{}
	case 5:
		return chaos.Vanish{}
	case 6:
		return chaos.Lose{Chance: chance(), Burst: size(4)}
	case 7:
		return chaos.Lose{P: chance(), R: chance(), H: 0.1, K: 0.9}
	case 8:
		return chaos.Lose{Every: size(5)}
	case 9:
		return chaos.Lose{List: "1,3-5,8"}
	case 10, 11:
		return chaos.Reorder{Chance: chance(), Gap: size(4), Within: ms(500)}
	case 12:
		return chaos.MTU{Size: size(2 * accountSize)}
	case 13:
		return chaos.Limit{Bytes: int64(size(20 * accountSize)), Shared: coin(rng)}
	case 14:
		return chaos.CloseOnData{}
	case 15:
		return chaos.Lifetime{For: ms(1000), From: one(rng, []chaos.Birth{chaos.FromAccept, chaos.FromData})}
	case 16:
		return chaos.Idle{For: ms(300)}
	case 17:
		return chaos.Close{After: ms(500)}
	case 18:
		drops := byte(size(255))
		return chaos.Edit(func(data []byte) []byte {
			if data[0] < drops {
				return nil
			}
			return data
		})
	case 19:
		return chaos.Sometimes{Chance: 0.5, Fault: anyFault(rng, depth+1)}
	case 20:
		return chaos.After{Bytes: int64(size(10 * accountSize)), Fault: anyFault(rng, depth+1)}
	case 21:
		n := ms(300)
		return chaos.During{Start: ms(500), For: n, Every: 2 * n, Fault: anyFault(rng, depth+1)}
	default:
		return chaos.Only{First: size(4), Fault: anyFault(rng, depth+1)}
	}
}

// upTo draws a number from 1, small ones more often.
func upTo(rng *rand.Rand, most int) int {
	for range rng.IntN(4) {
		most = most/4 + 1
	}
	return 1 + rng.IntN(most)
}

// one draws one of some things.
func one[T any](rng *rand.Rand, of []T) T { return of[rng.IntN(len(of))] }

func coin(rng *rand.Rand) bool { return rng.IntN(2) == 0 }

// A ledger is a gate with some clients, and what they and the server have sent.
type ledger struct {
	*virtualUDP
	t       *testing.T
	rng     *rand.Rand
	clients []*udpPeer
	imposed []*chaos.Imposed
	copies  map[*chaos.Imposed]int64 // of those that duplicate, how many more there are of each
	sent    int64
	n       byte
	script  strings.Builder // what was done
}

func (l *ledger) did(format string, args ...any) {
	fmt.Fprintf(&l.script, "%v: "+format+"\n", append([]any{l.elapsed()}, args...)...)
}

func (l *ledger) datagram() []byte {
	l.n += 7
	return bytes.Repeat([]byte{l.n}, accountSize)
}

// flow draws one of the gate's or of a session's.
func (l *ledger) flow() *chaos.Flow {
	flows := []*chaos.Flow{&l.ToServer, &l.ToClient}
	if conns := l.Conns(); len(conns) > 0 && coin(l.rng) {
		c := one(l.rng, conns)
		flows = []*chaos.Flow{&c.ToServer, &c.ToClient}
		l.did("of session %d,", c.Ordinal())
	}
	k := l.rng.IntN(2)
	l.did("%v,", chaos.Direction(k))
	return flows[k]
}

func told(f chaos.Fault) string {
	if k := chaos.KindOf(f); strings.HasPrefix(k, "chaos.") {
		return k // a function
	}
	return spec.Text(f)
}

func (l *ledger) step() {
	switch what := one(l.rng, []string{
		"send", "send", "send", "send", "burst", "answer", "answer", "answer", "answer", "sleep", "sleep", "sleep",
		"add", "add", "set", "duplicate", "lift", "change", "heal", "close", "reseed", "door", "rebind",
	}); what {
	case "send":
		l.send(1)
	case "burst":
		l.send(upTo(l.rng, 40))
	case "answer":
		l.answer()
	case "sleep":
		time.Sleep(time.Duration(upTo(l.rng, 500_000)) * time.Microsecond)
	case "add":
		f := anyFault(l.rng, 0)
		l.imposed = append(l.imposed, l.flow().Add(f))
		l.did("add %s", told(f))
	case "set":
		faults := make([]chaos.Fault, l.rng.IntN(4))
		for i := range faults {
			faults[i] = anyFault(l.rng, 0)
			l.did("set %s", told(faults[i]))
		}
		l.imposed = append(l.imposed, l.flow().Set(faults...)...)
	case "duplicate":
		f := chaos.Duplicate{Chance: one(l.rng, []float64{0.3, 1}), Copies: upTo(l.rng, 3)}
		l.copies[l.flow().Add(f)] = int64(f.Copies)
		l.did("add %s", told(f))
	case "lift":
		if len(l.imposed) > 0 {
			i := one(l.rng, l.imposed)
			l.did("lift %s", told(i.Fault()))
			i.Lift()
		}
	case "change":
		if len(l.imposed) > 0 {
			i, to := one(l.rng, l.imposed), anyFault(l.rng, 0)
			l.did("change %s to %s", told(i.Fault()), told(to))
			i.Change(to)
		}
	case "heal":
		l.did("heal")
		if err := l.Heal(); err != nil {
			l.t.Fatal(err)
		}
	case "close":
		l.did("close %d", l.CloseConns(one(l.rng, []int{1, 2, chaos.All})))
	case "reseed":
		l.Reseed(l.rng.Uint64() | 1)
	case "door":
		door := one(l.rng, []chaos.Door{chaos.Open, chaos.Open, chaos.Open, chaos.Hold, chaos.Blackhole})
		l.did("door %v", door)
		if err := l.SetDoor(door); err != nil {
			l.t.Fatal(err)
		}
	case "rebind":
		l.flow().Add(chaos.Rebind{Every: 50 * time.Millisecond})
		l.did("add rebind")
	}
	if coin(l.rng) {
		synctest.Wait()
	}
}

func (l *ledger) send(n int) {
	k := l.rng.IntN(len(l.clients))
	l.did("client %d sends %d", k, n)
	for range n {
		if _, err := l.clients[k].to.Write(l.datagram()); err != nil {
			l.t.Fatal(err)
		}
		l.sent++
	}
}

// answer has the server send something to a session. What is sent to one that has ended, or to the port of before, does not reach the gate.
func (l *ledger) answer() {
	synctest.Wait()
	if conns := l.Conns(); len(conns) > 0 {
		if i := one(l.rng, conns).Info(); i.State == chaos.Established {
			l.did("answer to session %d", i.Ordinal)
			l.server.answers(l.t, i.Back, string(l.datagram()))
			l.sent++
		}
	}
}

// balance tells what is unaccounted for when nothing is under way any more.
func (l *ledger) balance() error {
	if err := l.Heal(); err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // what is left expires
	synctest.Wait()
	if n := len(l.Conns()); n > 0 {
		return fmt.Errorf("%d sessions have not expired", n)
	}
	s := l.Stats()
	in := l.sent
	for i, copies := range l.copies {
		in += i.Hits() * copies
	}
	if s.Dropped%accountSize != 0 || s.Held != 0 || s.KernelDrops != 0 || s.SendErrors != 0 || s.Refused != 0 {
		return fmt.Errorf("got %+v", s)
	}
	out := s.DatagramsToServer + s.DatagramsToClient + s.Lost + s.Overflowed + s.Dropped/accountSize
	if in != out {
		return fmt.Errorf("%d were sent or copied, and %d are accounted for: %d and %d delivered, %d lost, %d overflowed, %d dropped",
			in, out, s.DatagramsToServer, s.DatagramsToClient, s.Lost, s.Overflowed, s.Dropped/accountSize)
	}
	var toServer, toClient, closed int64 = int64(len(l.server.took())), 0, 0
	for _, c := range l.clients {
		toClient += int64(len(c.took()))
	}
	for _, n := range s.Closed {
		closed += n
	}
	if toServer != s.DatagramsToServer || toClient != s.DatagramsToClient || s.ToServer != toServer*accountSize || s.ToClient != toClient*accountSize {
		return fmt.Errorf("the server and the clients got %d and %d datagrams, and Stats says %+v", toServer, toClient, s)
	}
	if s.Accepted != closed || s.Live != 0 {
		return fmt.Errorf("%d sessions, of which %d were closed: %v", s.Accepted, closed, s.Closed)
	}
	return nil
}

// account does so many things at random to a gate of datagrams, and returns what is wrong with the figures then, and what was done.
func account(t *testing.T, seed uint64, steps int) (script string, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(seed, 4))
		l := &ledger{t: t, rng: rng, copies: map[*chaos.Imposed]int64{}}
		l.virtualUDP = newVirtualUDP(t, func(g *chaos.Gate) {
			g.Seed, g.Observe = rng.Uint64()|1, nil
			if coin(rng) {
				g.Sessions = 2
			}
			if rng.IntN(4) == 0 {
				g.Window = upTo(rng, 20_000)
			}
			if rng.IntN(4) == 0 {
				g.Memory = upTo(rng, 50_000)
			}
			if g.Expire = 2 * time.Second; coin(rng) {
				g.Expire = 200 * time.Millisecond
			}
			if coin(rng) {
				g.DialContext = slowly(g.DialContext, 50*time.Millisecond)
			}
			fmt.Fprintf(&l.script, "sessions %d, window %d, memory %d, expire %v\n", g.Sessions, g.Window, g.Memory, g.Expire)
		})
		l.clients = l.virtualUDP.clients(t, 1+rng.IntN(4))
		for range steps {
			l.step()
		}
		err = l.balance()
		script = l.script.String()
	})
	return script, err
}

// TestEveryDatagramIsAccountedFor does anything at random to a gate of datagrams. In the end each that was sent was delivered, or is counted as lost, as one
// for which there was no room, or as one that was under way when its session ended.
func TestEveryDatagramIsAccountedFor(t *testing.T) {
	const steps = 60
	seed := rand.Uint64()
	for range 200 {
		seed++
		script, err := account(t, seed, steps)
		if err == nil {
			continue
		}
		for n := range steps + 1 { // a seed does the same things first, however many they are
			if script, err := account(t, seed, n); err != nil {
				t.Fatalf("seed %d, after %d steps: %v:\n%s", seed, n, err, script)
			}
		}
		t.Fatalf("seed %d, and not with fewer steps: %v:\n%s", seed, err, script)
	}
}
