package chaostest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/chaosgate/chaos/matrix"
)

// TestMatrix runs a matrix on a client of a server that repeats lines.
func TestMatrix(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	gate := chaostest.NewGate(t, listener.Addr().String())
	seed := gate.Seed
	probe := func(ctx context.Context) error {
		conn, err := (&net.Dialer{Timeout: 200 * time.Millisecond}).DialContext(ctx, "tcp", gate.Addr())
		if err != nil {
			return err
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := fmt.Fprintln(conn, "hello"); err != nil {
			return err
		}
		switch line, err := bufio.NewReader(conn).ReadString('\n'); {
		case err != nil:
			return err
		case line != "hello\n":
			return fmt.Errorf("%w: %q", matrix.ErrWrong, line)
		}
		return nil
	}
	conditions := []matrix.Condition{
		{Name: "stall", Faults: []chaos.Fault{chaos.Stall{}}},
		{Name: "reset", End: chaos.RST},
		{Name: "never", Faults: []chaos.Fault{chaos.Limit{Bytes: 1 << 40}}, Directions: []matrix.Direction{matrix.ToClient}, Moments: []matrix.Moment{matrix.Connecting}},
	}
	report := chaostest.Matrix(t, gate, conditions, probe, func(r *matrix.Run) { r.Only = []string{"stall/*/underway", "reset", "never"} })
	want := map[string]matrix.Verdict{
		"stall/to_server/underway": matrix.Timeout, "stall/to_client/underway": matrix.Timeout, "stall/both/underway": matrix.Timeout,
		"reset/both/connecting": matrix.Error, "reset/both/underway": matrix.Error,
		"never/to_client/connecting": matrix.NotExercised,
	}
	got := map[string]matrix.Verdict{}
	for _, c := range report.Cells {
		got[c.ID] = c.Verdict
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if gate.Seed != seed || len(gate.ToClient.Imposed()) > 0 {
		t.Errorf("seed %#x, %d faults imposed; want %#x and none, as before", gate.Seed, len(gate.ToClient.Imposed()), seed)
	}
}
