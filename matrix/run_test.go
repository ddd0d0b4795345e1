package matrix_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

// A lab is a server on a network in memory that answers each line with another.
type lab struct {
	net      *chaostest.Network
	listener net.Listener
}

const labServer = "127.0.0.1:7000"

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{net: chaostest.NewNetwork()}
	var err error
	if l.listener, err = l.net.Listen(t.Context(), "tcp", labServer); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.listener.Close() })
	go func() {
		for {
			conn, err := l.listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for in := bufio.NewScanner(conn); in.Scan(); {
					fmt.Fprintf(conn, "you have said %s\n", in.Text())
				}
			}()
		}
	}()
	return l
}

// run returns a matrix of the lab.
func (l *lab) run() *matrix.Run {
	return &matrix.Run{
		Server: labServer, Seed: 42, Workers: 1, Open: l.pooled,
		Configure: func(g *chaos.Gate) { g.ListenFunc, g.DialContext = l.net.Listen, l.net.Dial },
	}
}

// ask sends a line on a connection and returns the answer.
func ask(conn net.Conn, timeout time.Duration) (matrix.Answer, error) {
	if timeout > 0 {
		conn.SetDeadline(time.Now().Add(timeout))
	}
	if _, err := fmt.Fprintln(conn, "hello"); err != nil {
		return matrix.Answer{}, err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return matrix.Answer{Output: answer}, err
}

// pooled returns a client that keeps its connection, and closes it when something is wrong.
func (l *lab) pooled(context.Context, string) (matrix.Probe, func(), error) {
	var kept net.Conn
	drop := func() {
		if kept != nil {
			kept.Close()
			kept = nil
		}
	}
	probe := func(ctx context.Context, addr string) (matrix.Answer, error) {
		if kept == nil {
			dialling, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			conn, err := l.net.Dial(dialling, "tcp", addr)
			if err != nil {
				return matrix.Answer{}, err
			}
			kept = conn
		}
		answer, err := ask(kept, 3*time.Second)
		if err != nil {
			drop()
		}
		return answer, err
	}
	return probe, drop, nil
}

func TestStandardMatrixOfACarefulClient(t *testing.T) {
	verdicts := map[string][]matrix.Verdict{ // by condition
		"hold": {matrix.Timeout}, "refuse": {matrix.Error}, "blackhole": {matrix.Timeout},
		"close": {matrix.Error}, "reset": {matrix.Error}, "close_on_data": {matrix.Error}, "cut": {matrix.Error},
		"lifetime": {matrix.Error}, "idle_limit": {matrix.Error},
		"stall": {matrix.Timeout}, "discard": {matrix.Timeout}, "vanish": {matrix.Timeout},
		"delay_2x": {matrix.OK}, "delay_10x": {matrix.OK}, "delay_2s": {matrix.Slow, matrix.Timeout}, "bandwidth": {matrix.OK},
		"slice": {matrix.OK}, "concat": {matrix.OK},
		"corrupt": {matrix.Wrong, matrix.Timeout}, // its protocol has no checksum; a line feed that is hit ends no line
	}
	synctest.Test(t, func(t *testing.T) {
		run := newLab(t).run()
		run.Workers = 3
		report, err := run.Do(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Cells) != report.Planned || report.Interrupted || report.Planned < 100 {
			t.Errorf("%d of %d cells, interrupted: %v; want all of more than 100", len(report.Cells), report.Planned, report.Interrupted)
		}
		for _, c := range report.Cells {
			if want := verdicts[c.Condition]; !slices.Contains(want, c.Verdict) {
				t.Errorf("%s: got %s, want one of %v: %s", c.ID, c.Verdict, want, c.Says)
			}
			if c.Fired == 0 || !c.Recovery.Recovered || c.Recovery.Failed > 0 || c.Recovery.Attempts != 3 {
				t.Errorf("%s: fired %d, recovery %+v; want it to have fired, and three attempts that were right", c.ID, c.Fired, c.Recovery)
			}
			if tl := c.Timeline; !(0 < len(tl.Points) && tl.Imposed <= tl.Lifted && tl.Lifted <= tl.Until) || c.Seen.Accepted == 0 {
				t.Errorf("%s: timeline %+v, %d connections accepted; want points, moments in order, and connections", c.ID, tl, c.Seen.Accepted)
			}
		}
	})
}

// stalls is a single condition in a single cell, for tests of what is around it.
var stalls = matrix.Condition{
	Name: "stall", Faults: []chaos.Fault{chaos.Stall{}}, Directions: []matrix.Direction{matrix.ToClient}, Moments: []matrix.Moment{matrix.Idle},
}

// tryOne runs a matrix that has one cell, in a bubble.
func tryOne(t *testing.T, c matrix.Condition, change func(*lab, *matrix.Run)) (cell matrix.Cell) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		run := l.run()
		run.Conditions = []matrix.Condition{c}
		change(l, run)
		report, err := run.Do(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Cells) != 1 {
			t.Fatalf("got %d cells, want 1", len(report.Cells))
		}
		cell = report.Cells[0]
	})
	return cell
}

func TestCellIsExact(t *testing.T) {
	cell := tryOne(t, stalls, func(*lab, *matrix.Run) {})
	want := matrix.Cell{
		ID: "stall/to_client/idle", Condition: "stall", Direction: matrix.ToClient, Moment: matrix.Idle, Imposed: "stall", Seed: cell.Seed,
		Verdict: matrix.Timeout, Met: matrix.Timeout, Says: cell.Says, Began: cell.Began, Took: matrix.Span(3 * time.Second), Fired: 1,
		Attempts: []matrix.Attempt{
			{Phase: matrix.Before, Outcome: matrix.OK, Output: "you have said hello\n", Conns: 1},
			{Phase: matrix.Before, Outcome: matrix.OK, Output: "you have said hello\n"},
			{Phase: matrix.Under, Outcome: matrix.Timeout, Took: matrix.Span(3 * time.Second), Says: cell.Attempts[2].Says, Fired: true},
			{Phase: matrix.After, At: matrix.Span(3 * time.Second), Outcome: matrix.OK, Output: "you have said hello\n", Conns: 1},
			{Phase: matrix.After, At: matrix.Span(3 * time.Second), Outcome: matrix.OK, Output: "you have said hello\n"},
			{Phase: matrix.After, At: matrix.Span(3 * time.Second), Outcome: matrix.OK, Output: "you have said hello\n"},
		},
		Recovery: &matrix.Recovery{Recovered: true, Once: true, Attempts: 3, Conns: 1, Patience: matrix.Span(15 * time.Second)},
	}
	if diff := cmp.Diff(want, cell, cmpopts.IgnoreFields(matrix.Cell{}, "Seen", "Timeline"), cmpopts.IgnoreFields(matrix.Attempt{}, "ID")); diff != "" {
		t.Errorf("the cell (-want +got):\n%s", diff)
	}
	if got, want := cell.Timeline.Lifted-cell.Timeline.Imposed, matrix.Span(3*time.Second); got != want {
		t.Errorf("imposed for %v, want %v", got, want)
	}
	seen := cell.Seen
	seen.Closed, seen.Conns = nil, nil
	if diff := cmp.Diff(matrix.Seen{ToServer: 36, ToClient: 120, Accepted: 2}, seen); diff != "" {
		t.Errorf("what the gate saw (-want +got):\n%s", diff)
	}
	if got := seen; got.Under != 0 {
		t.Errorf("connections under the condition: got %d, want none", got.Under)
	}
	conns := []matrix.Connection{
		{Ordinal: 1, Ended: matrix.Span(3 * time.Second), ToServer: 18, ToClient: 60, By: "client"},
		{Ordinal: 2, Opened: matrix.Span(3 * time.Second), ToServer: 18, ToClient: 60},
	}
	// How it ended depends on whether the answer that was stalled met a client that had gone.
	if diff := cmp.Diff(conns, cell.Seen.Conns, cmpopts.IgnoreFields(matrix.Connection{}, "How")); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
}

func TestConditionThatNeverFiresIsNoPass(t *testing.T) {
	never := stalls
	never.Faults = []chaos.Fault{chaos.Limit{Bytes: 1 << 40}}
	cell := tryOne(t, never, func(*lab, *matrix.Run) {})
	if cell.Verdict != matrix.NotExercised || cell.Fired != 0 || cell.Met != matrix.OK {
		t.Errorf("got %s, fired %d, met %s; want not_exercised, 0 and ok", cell.Verdict, cell.Fired, cell.Met)
	}
	under := 0
	for _, a := range cell.Attempts {
		if a.Phase == matrix.Under {
			under++
		}
	}
	if under != 20 {
		t.Errorf("got %d attempts under the condition, want 20, for it may be late", under)
	}
}

func TestUnhealthyCellIsSkipped(t *testing.T) {
	works := 11 // as often as the baseline needs
	cell := tryOne(t, stalls, func(l *lab, r *matrix.Run) {
		r.Open = func(ctx context.Context, addr string) (matrix.Probe, func(), error) {
			probe, stop, err := l.pooled(ctx, addr)
			return func(ctx context.Context, addr string) (matrix.Answer, error) {
				if works--; works < 0 {
					return matrix.Answer{}, errors.New("out of order")
				}
				return probe(ctx, addr)
			}, stop, err
		}
	})
	if cell.Verdict != matrix.Skipped || !strings.Contains(cell.Says, "out of order") || cell.Recovery != nil || cell.Worse {
		t.Errorf("got %s (%s), recovery %v, worse %v; want it skipped, with the reason", cell.Verdict, cell.Says, cell.Recovery, cell.Worse)
	}
}

func TestNoRecovery(t *testing.T) {
	late := false
	cell := tryOne(t, stalls, func(l *lab, r *matrix.Run) {
		probe, _, _ := l.pooled(t.Context(), "")
		r.Open, r.Probe = nil, func(ctx context.Context, addr string) (matrix.Answer, error) {
			if late {
				return matrix.Answer{}, errors.New("circuit breaker is open")
			}
			answer, err := probe(ctx, addr)
			late = err != nil
			return answer, err
		}
	})
	if cell.Verdict != matrix.NoRecovery || !cell.Worse || cell.Met != matrix.Timeout || !strings.Contains(cell.Says, "circuit breaker is open") {
		t.Errorf("got %s, worse %v, met %s: %s; want no_recovery after a timeout", cell.Verdict, cell.Worse, cell.Met, cell.Says)
	}
	if r := cell.Recovery; r.Once || r.Failed != r.Attempts || r.Attempts < 100 || cell.LeftOut == 0 || len(cell.Attempts) > 40 {
		t.Errorf("recovery %+v with %d attempts listed and %d not: want more than 100, of which at most 40 are listed", r, len(cell.Attempts), cell.LeftOut)
	}
}

func TestHangThatDoesNotEndIsLeftAlone(t *testing.T) {
	cell := tryOne(t, stalls, func(l *lab, r *matrix.Run) {
		hung := make(chan struct{})
		probe, _, _ := l.pooled(t.Context(), "")
		var calls atomic.Int64
		r.Open, r.Probe = nil, func(ctx context.Context, addr string) (matrix.Answer, error) {
			if calls.Add(1) == 14 { // eleven for the baseline, two that are healthy
				<-hung
			}
			return probe(ctx, addr)
		}
		r.Progress = func(p matrix.Progress) {
			if p.Cell != nil {
				close(hung)
			}
		}
	})
	if cell.Verdict != matrix.Hang || !strings.Contains(cell.Says, "nor did it end when its context did") {
		t.Errorf("got %s: %s; want a hang that did not end", cell.Verdict, cell.Says)
	}
}

func TestBaselineThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		tests := []struct {
			name   string
			change func(*matrix.Run)
			want   string
		}{
			{"no server", func(r *matrix.Run) { r.Server = "127.0.0.1:7001" }, "server: 127.0.0.1:7001 cannot be reached"},
			{"an error", func(r *matrix.Run) {
				r.Open, r.Probe = nil, func(context.Context, string) (matrix.Answer, error) {
					return matrix.Answer{Log: "bad password"}, errors.New("login failed")
				}
			}, "the probe does not work with nothing imposed: login failed\nbad password"},
			{"another way", func(r *matrix.Run) {
				r.Open, r.Probe = nil, func(context.Context, string) (matrix.Answer, error) { return matrix.Answer{}, nil }
			}, "the probe works, but without the gate"},
			{"a panic", func(r *matrix.Run) {
				r.Open, r.Probe = nil, func(context.Context, string) (matrix.Answer, error) { panic("oops") }
			}, "panic: oops"},
		}
		for _, test := range tests {
			run := l.run()
			test.change(run)
			report, err := run.Do(t.Context())
			if report != nil || err == nil || !strings.Contains(err.Error(), test.want) || !errors.Is(err, matrix.ErrUnable) {
				t.Errorf("%s: got %v, want no report and an error that says %q", test.name, err, test.want)
			}
		}
	})
}

func TestRunIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		run := newLab(t).run()
		run.Progress = func(p matrix.Progress) {
			if p.Done == 5 {
				cancel()
			}
		}
		report, err := run.Do(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !report.Interrupted || len(report.Cells) != 5 || report.Planned < 100 {
			t.Errorf("interrupted: %v, %d cells of %d; want the five that were done", report.Interrupted, len(report.Cells), report.Planned)
		}
	})
}

func TestSameSeedSameFaults(t *testing.T) {
	damage := func(seed spec.Seed) (outputs []string) {
		synctest.Test(t, func(t *testing.T) {
			run := newLab(t).run()
			run.Seed, run.Only, run.Workers = seed, []string{"corrupt/to_client"}, 2
			report, err := run.Do(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range report.Cells {
				for _, a := range c.Attempts {
					outputs = append(outputs, c.ID+" "+string(a.Phase)+" "+a.Output)
				}
			}
		})
		return outputs
	}
	first := damage(1)
	if diff := cmp.Diff(first, damage(1)); diff != "" {
		t.Errorf("the same seed (-first +second):\n%s", diff)
	}
	if cmp.Equal(first, damage(2)) {
		t.Error("another seed: got the same, want something else")
	}
}

func TestScaledFaultThatIsRefusedSkipsItsCell(t *testing.T) {
	mistaken := stalls
	mistaken.Faults, mistaken.Scaled = nil, func(b matrix.Baseline, _ chaos.Direction) []chaos.Fault {
		return []chaos.Fault{chaos.Delay{By: -time.Second}}
	}
	cell := tryOne(t, mistaken, func(*lab, *matrix.Run) {})
	if cell.Verdict != matrix.Skipped || !strings.Contains(cell.Says, "delay: by: got -1s") {
		t.Errorf("got %s: %s; want it skipped, with the reason", cell.Verdict, cell.Says)
	}
}
