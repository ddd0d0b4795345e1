package chaos_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

// TestSweep imposes, changes and lifts random faults that keep the bytes while a client writes, for one seed after the other. Healed,
// the gate holds nothing and has lost nothing; closed, nothing is left.
func TestSweep(t *testing.T) {
	seeds := uint64(300)
	if os.Getenv("CHAOSGATE_SOAK") == "1" {
		seeds = 20_000
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			s := newSweep(t, seed)
			for range 30 {
				s.step()
				time.Sleep(time.Duration(s.rng.IntN(40)) * time.Millisecond)
			}
			s.finish(t)
		})
		if t.Failed() {
			t.Fatalf("it was seed %d", seed)
		}
	}
}

// A sweep is one random walk.
type sweep struct {
	*virtual
	rng            *rand.Rand
	client, server net.Conn
	sent           []byte
	got            chan []byte // what the server has read in all
	log            []string    // what was done, for the one who looks into a failure
}

func newSweep(t *testing.T, seed uint64) *sweep {
	s := &sweep{rng: rand.New(rand.NewPCG(seed, 1)), got: make(chan []byte, 1)}
	s.virtual = newVirtual(t, func(g *chaos.Gate) {
		if s.rng.IntN(2) == 0 {
			g.Window = 1 + s.rng.IntN(4000)
		}
	})
	s.client, s.server = s.connect(t)
	go func() {
		b, _ := io.ReadAll(s.server)
		s.got <- b
	}()
	return s
}

func (s *sweep) did(format string, args ...any) {
	s.log = append(s.log, s.elapsed().String()+" "+fmt.Sprintf(format, args...))
}

// step does one thing.
func (s *sweep) step() {
	imposed := s.ToServer.Imposed()
	switch n := s.rng.IntN(8); {
	case n < 3 && len(imposed) < 5:
		f := keepsBytes(s.rng, 0)
		s.did("add %T%+v", f, f)
		s.ToServer.Add(f)
	case n == 3 && len(imposed) > 0:
		at := s.rng.IntN(len(imposed))
		s.did("lift %d", at)
		imposed[at].Lift()
	case n == 4 && len(imposed) > 0:
		at, f := s.rng.IntN(len(imposed)), keepsBytes(s.rng, 0)
		s.did("change %d to %T%+v", at, f, f)
		imposed[at].Change(f)
	case n == 5:
		s.did("set nothing")
		s.ToServer.Set()
	default:
		b := make([]byte, 1+s.rng.IntN(100))
		for i := range b {
			b[i] = 'A' + byte((len(s.sent)+i)%20)
		}
		s.client.SetWriteDeadline(time.Now().Add(time.Millisecond))
		k, _ := s.client.Write(b)
		s.did("write %d", k)
		s.sent = append(s.sent, b[:k]...)
	}
}

// finish heals and ends, and looks at what is left.
func (s *sweep) finish(t *testing.T) {
	defer func() {
		if !t.Failed() {
			return
		}
		for _, line := range s.log {
			t.Log(line)
		}
	}()
	settle := func() {
		time.Sleep(3 * time.Second)
		synctest.Wait()
	}
	s.did("heal")
	if err := s.Heal(); err != nil {
		t.Error(err)
	}
	settle()
	if got := s.Stats().Held; got != 0 {
		t.Errorf("healed and idle: got %d held, want 0", got)
	}
	if s.rng.IntN(2) == 0 {
		s.did("FIN")
		closeWrite(t, s.client)
	} else {
		s.did("close")
		s.CloseConns(chaos.All)
	}
	if got := <-s.got; !bytes.Equal(got, s.sent) {
		t.Errorf("got %d bytes, %q, want %d bytes, %q", len(got), got, len(s.sent), s.sent)
	}
	s.server.Close()
	s.client.Close()
	settle()
	if got, conns := s.Stats().Held, s.Conns(); got != 0 || len(conns) > 0 {
		t.Errorf("over: got %d held and %v, want nothing", got, conns)
	}
}

// keepsBytes draws a fault that loses and changes no byte.
func keepsBytes(r *rand.Rand, depth int) chaos.Fault {
	ms := func(n int) time.Duration { return time.Duration(1+r.IntN(n)) * time.Millisecond }
	kinds := 15
	if depth == 3 {
		kinds = 10 // no more that carries another
	}
	switch r.IntN(kinds) {
	case 0:
		return chaos.Delay{By: ms(300), Jitter: ms(100)}
	case 1:
		return chaos.Bandwidth{Rate: 1 + int64(r.IntN(1e6)), Shared: r.IntN(2) == 0}
	case 2:
		return chaos.Slice{Size: 1 + r.IntN(50), Gap: ms(3)}
	case 3:
		return chaos.Concat{Size: 1 + r.IntN(200), Within: ms(100)}
	case 4:
		return chaos.Concat{Size: 1 + r.IntN(200)}
	case 5:
		return chaos.Stall{}
	case 6:
		return chaos.Substitute{Pattern: "q+", With: "q", Max: 10}
	case 7:
		return chaos.SlowClose{By: ms(50)}
	case 8:
		return chaos.Edit(func(b []byte) []byte { return b })
	case 9:
		return chaos.Through(func(dst io.Writer, src io.Reader) error {
			_, err := io.Copy(dst, src)
			return err
		})
	case 10:
		return chaos.Sometimes{Chance: r.Float64(), Fault: keepsBytes(r, depth+1)}
	case 11:
		return chaos.After{Bytes: int64(1 + r.IntN(100)), Fault: keepsBytes(r, depth+1)}
	case 12:
		return chaos.After{Time: ms(100), Fault: keepsBytes(r, depth+1)}
	case 13:
		return chaos.During{For: ms(50), Every: 60 * time.Millisecond, Fault: keepsBytes(r, depth+1)}
	default:
		return chaos.Only{First: 1, Fault: keepsBytes(r, depth+1)}
	}
}
