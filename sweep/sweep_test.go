package sweep_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/sweep"
)

// A lab is a server on a network in memory. It greets, and answers a line with its length in four digits and then itself.
type lab struct {
	net *chaostest.Network
}

const (
	labServer = "127.0.0.1:7000"
	greeting  = "HI\n"
)

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{net: chaostest.NewNetwork()}
	listener, err := l.net.Listen(t.Context(), "tcp", labServer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.WriteString(conn, greeting)
				for in := bufio.NewScanner(conn); in.Scan(); {
					fmt.Fprintf(conn, "%04d%s", len(in.Text()), in.Text())
				}
			}()
		}
	}()
	return l
}

// sweep returns a sweep of a client that has a connection for itself.
func (l *lab) sweeps(client func(conn net.Conn) (string, error)) *sweep.Sweep {
	return &sweep.Sweep{Run: matrix.Run{
		Server: labServer, Seed: 42, Workers: 4,
		Configure: func(g *chaos.Gate) { g.ListenFunc, g.DialContext = l.net.Listen, l.net.Dial },
		Probe: func(ctx context.Context, addr string) (matrix.Answer, error) {
			dialling, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			conn, err := l.net.Dial(dialling, "tcp", addr)
			if err != nil {
				return matrix.Answer{}, err
			}
			defer conn.Close()
			answer, err := client(conn)
			return matrix.Answer{Output: answer}, err
		},
	}}
}

// careful asks as it should be done.
func careful(conn net.Conn) (string, error) {
	conn.SetDeadline(time.Now().Add(3 * time.Second))
	if err := greeted(conn); err != nil {
		return "", err
	}
	io.WriteString(conn, "hello\n")
	var size int
	header := make([]byte, 4)
	if _, err := io.ReadFull(conn, header); err != nil {
		return "", err
	}
	if _, err := fmt.Sscanf(string(header), "%04d", &size); err != nil {
		return "", err
	}
	body := make([]byte, size)
	_, err := io.ReadFull(conn, body)
	return string(body), err
}

func greeted(conn net.Conn) error {
	hi := make([]byte, len(greeting))
	if _, err := io.ReadFull(conn, hi); err != nil {
		return err
	}
	if string(hi) != greeting {
		return errors.New("who is there?")
	}
	return nil
}

// trusting takes the end of the stream for the end of the body.
func trusting(conn net.Conn) (string, error) {
	conn.SetDeadline(time.Now().Add(3 * time.Second))
	if err := greeted(conn); err != nil {
		return "", err
	}
	io.WriteString(conn, "hello\n")
	header := make([]byte, 4)
	if _, err := io.ReadFull(conn, header); err != nil {
		return "", err
	}
	body, err := io.ReadAll(io.LimitReader(conn, 5))
	return string(body), err
}

// hasty takes what it reads at once for the whole header.
func hasty(conn net.Conn) (string, error) {
	conn.SetDeadline(time.Now().Add(3 * time.Second))
	if err := greeted(conn); err != nil {
		return "", err
	}
	io.WriteString(conn, "hello\n")
	buf := make([]byte, 64)
	n, err := conn.Read(buf)
	if err != nil {
		return "", err
	}
	if n < 4 {
		return "", fmt.Errorf("a header of %d bytes", n)
	}
	var size int
	fmt.Sscanf(string(buf[:4]), "%04d", &size)
	for n < 4+size {
		more, err := conn.Read(buf[n:])
		if err != nil {
			return "", err
		}
		n += more
	}
	return string(buf[4 : 4+size]), nil
}

// strips returns what a report says, a line for each strip.
func strips(r *sweep.Report) string {
	var b strings.Builder
	for _, s := range r.Strips {
		fmt.Fprintf(&b, "%s %d/%v/%d:", s.Action, s.Conn, s.Direction, s.Message)
		for _, one := range s.Ranges {
			fmt.Fprintf(&b, " %d-%d %s", one.From, one.To, one.Verdict)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestSweep(t *testing.T) {
	const (
		greet  = "1/to_client/1: "
		ask    = "1/to_server/1: "
		answer = "1/to_client/2: "
	)
	tests := []struct {
		name    string
		client  func(net.Conn) (string, error)
		actions string
		want    []string
	}{
		{"careful", careful, "fin reset", []string{
			"fin " + greet + "0-3 error", "fin " + ask + "0-6 error", "fin " + answer + "0-8 error 9-9 ok",
			"reset " + greet + "0-3 error", "reset " + ask + "0-6 error", "reset " + answer + "0-8 error 9-9 ok",
		}},
		{"careful", careful, "stall split", []string{
			"stall " + greet + "0-3 timeout", "stall " + ask + "0-5 timeout 6-6 ok", "stall " + answer + "0-8 timeout 9-9 ok",
			"split " + greet + "0-3 ok", "split " + ask + "0-6 ok", "split " + answer + "0-9 ok",
		}},
		{"trusting", trusting, "fin", []string{"fin " + greet + "0-3 error", "fin " + ask + "0-6 error", "fin " + answer + "0-3 error 4-8 wrong 9-9 ok"}},
		{"hasty", hasty, "split", []string{"split " + greet + "0-3 ok", "split " + ask + "0-6 ok", "split " + answer + "0-0 ok 1-3 error 4-9 ok"}},
		{"careful", careful, "corrupt", []string{"corrupt " + greet + "0-2 error", "corrupt " + ask + "0-4 wrong 5-5 timeout", "corrupt " + answer + "0-0 timeout 1-8 wrong"}},
	}
	for _, tt := range tests {
		for _, every := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%s/every=%t", tt.name, tt.actions, every), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newLab(t).sweeps(tt.client)
					s.EveryByte = every
					for name := range strings.FieldsSeq(tt.actions) {
						a, err := sweep.ActionNamed(name)
						if err != nil {
							t.Fatal(err)
						}
						s.Actions = append(s.Actions, a)
					}
					r, err := s.Do(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(strings.Join(tt.want, "\n")+"\n", strips(r)); diff != "" {
						t.Errorf("(-want +got)\n%s", diff)
					}
					if len(r.LeftOut) > 0 || r.Interrupted {
						t.Errorf("left out: %q", r.LeftOut)
					}
				})
			})
		}
	}
}

// report runs a sweep.
func report(t *testing.T, s *sweep.Sweep) *sweep.Report {
	t.Helper()
	r, err := s.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOnePoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLab(t).sweeps(trusting)
		s.Point = &sweep.Point{1, chaos.ToClient, 2, 6}
		r := report(t, s)
		if got, want := strips(r), "fin 1/to_client/2: 6-6 wrong\n"; got != want || r.Runs != 1 || r.Bad != 1 {
			t.Errorf("got %s by %d runs, %d bad, want %s by 1, 1 bad", got, r.Runs, r.Bad, want)
		}
		cell := r.Strips[0].Ranges[0].Sample
		if cell.Fired == 0 || cell.Recovery == nil || !cell.Recovery.Recovered || !strings.Contains(cell.Says, `"he"`) {
			t.Errorf("got %+v, want it to have fired, what was believed, and a recovery", cell)
		}
	})
	for _, tt := range []struct {
		point sweep.Point
		want  string
	}{
		{sweep.Point{2, chaos.ToClient, 1, 0}, "point 2/to_client/1+0: there is no such message"},
		{sweep.Point{1, chaos.ToClient, 2, 10}, "point 1/to_client/2+10: the message has 9 bytes"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newLab(t).sweeps(careful)
			s.Point = &tt.point
			if _, err := s.Do(t.Context()); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLab(t).sweeps(careful)
		s.EveryByte, s.MaxRuns = true, 5
		r := report(t, s)
		if r.Runs != 5 || len(r.LeftOut) != 1 || !strings.Contains(r.LeftOut[0], "5 points were tried, which is as many as were allowed: 16 points") {
			t.Errorf("got %d runs, and left out %q", r.Runs, r.LeftOut)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newLab(t).sweeps(careful)
		stall, _ := sweep.ActionNamed("stall") // for which the client waits 3 s each time
		s.Actions, s.EveryByte, s.Time, s.Run.Workers = []sweep.Action{stall}, true, 10*time.Second, 1
		r := report(t, s)
		if r.Runs == 0 || r.Runs > 3 || len(r.LeftOut) != 1 || !strings.HasPrefix(r.LeftOut[0], "10s were over: ") {
			t.Errorf("got %d runs, and left out %q", r.Runs, r.LeftOut)
		}
	})
}

// TestVarying has an exchange that differs from time to time.
func TestVarying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s := newLab(t).sweeps(func(conn net.Conn) (string, error) {
			conn.SetDeadline(time.Now().Add(3 * time.Second))
			if err := greeted(conn); err != nil {
				return "", err
			}
			n++
			fmt.Fprintf(conn, "%s\n", strings.Repeat("x", 1+n%3))
			_, err := io.ReadFull(conn, make([]byte, 4))
			return "", err
		})
		s.Run.Workers = 1
		r := report(t, s)
		if len(r.LeftOut) != 2 || !strings.Contains(r.LeftOut[0], "to the server, message 1 has 2 to 4 bytes: only the first 2 are tried") {
			t.Errorf("left out %q, want both messages whose lengths vary", r.LeftOut)
		}
		for _, strip := range r.Strips {
			for _, one := range strip.Ranges {
				if one.Verdict == matrix.NotExercised {
					t.Errorf("%s: %s", strip.ID(one), one.Says)
				}
			}
		}
	})
}

// TestDiverged has a client that goes another way when it is swept.
func TestDiverged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorded := false
		s := newLab(t).sweeps(func(conn net.Conn) (string, error) {
			if !recorded {
				return careful(conn)
			}
			conn.SetDeadline(time.Now().Add(3 * time.Second))
			return "hello", greeted(conn)
		})
		s.Run.Workers = 1
		s.Directions = []chaos.Direction{chaos.ToServer}
		s.Progress = func(p sweep.Progress) { recorded = recorded || p.Exchange != nil }
		r := report(t, s)
		if got, want := strips(r), "fin 1/to_server/1: 0-6 not_exercised\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if says := r.Strips[0].Ranges[0].Says; says != "diverged: only 0 messages went to the server on connection 1" {
			t.Errorf("got %q", says)
		}
	})
}

// TestOracle has a client that repeats a write whose answer was lost, and a check that counts.
func TestOracle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		var written sync.Map // how often, by attempt
		s := l.sweeps(careful)
		open := s.Run.Probe
		s.Run.Probe = func(ctx context.Context, addr string) (matrix.Answer, error) {
			id := matrix.AttemptID(ctx)
			for range 2 {
				n, _ := written.LoadOrStore(id, new(atomic.Int32))
				n.(*atomic.Int32).Add(1)
				if answer, err := open(ctx, addr); err == nil {
					return answer, nil
				}
			}
			return matrix.Answer{}, errors.New("failed twice")
		}
		s.Check = func(_ context.Context, a matrix.Attempt) error {
			n, _ := written.Load(a.ID)
			if times := n.(*atomic.Int32).Load(); times != 1 {
				return fmt.Errorf("written %d times", times)
			}
			return nil
		}
		r := report(t, s)
		want := "fin 1/to_client/1: 0-3 wrong\nfin 1/to_server/1: 0-6 wrong\nfin 1/to_client/2: 0-8 wrong 9-9 ok\n"
		if got := strips(r); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if says := r.Strips[0].Ranges[0].Says; !strings.HasPrefix(says, "the check failed: written 2 times; ") {
			t.Errorf("got %q", says)
		}
	})
}

func TestPoints(t *testing.T) {
	for _, text := range []string{"1/to_client/3+5", "12/to_server/1+0"} {
		p, err := sweep.ParsePoint(text)
		if err != nil || p.String() != text {
			t.Errorf("got %v and %v, want %s", p, err, text)
		}
	}
	for _, text := range []string{"", "1/to_client/3", "0/to_client/3+5", "1/upstream/3+5", "1/to_client/0+5", "1/to_client/3+-5", "1/to_client/3+5/6"} {
		if p, err := sweep.ParsePoint(text); err == nil || p != (sweep.Point{}) && p.String() == text {
			t.Errorf("%q: got %v and %v, want an error", text, p, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*sweep.Sweep)
		want   string
	}{
		{"an action without a fault", func(s *sweep.Sweep) { s.Actions = []sweep.Action{{Name: "x"}} }, "action 1: want a name and a fault"},
		{"an action that cannot be", func(s *sweep.Sweep) { s.Actions = []sweep.Action{{Name: "x", Fault: chaos.Limit{}}} }, "action x: limit: bytes: got 0B, want a size above 0B"},
		{"a budget below zero", func(s *sweep.Sweep) { s.MaxRuns = -1 }, "max runs: got -1, want more than 0"},
		{"a time below zero", func(s *sweep.Sweep) { s.Time = -1 }, "time: got -1ns, want more than 0"},
		{"a pause below zero", func(s *sweep.Sweep) { s.Pause = -1 }, "pause: got -1ns, want more than 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &sweep.Sweep{Run: matrix.Run{Server: labServer, Probe: func(context.Context, string) (matrix.Answer, error) { return matrix.Answer{}, nil }}}
			tt.change(s)
			if _, err := s.Do(t.Context()); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
