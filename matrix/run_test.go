package matrix_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/chaosgate/chaos/matrix"
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
