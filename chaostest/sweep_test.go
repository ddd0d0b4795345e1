package chaostest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/chaosgate/chaos/chaostest"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/sweep"
)

// TestSweep sweeps a client of a server that repeats lines.
func TestSweep(t *testing.T) {
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
	r := chaostest.Sweep(t, gate, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", gate.Addr())
		if err != nil {
			return err
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprint(conn, "hello\n")
		_, err = bufio.NewReader(conn).ReadString('\n')
		return err
	}, func(s *sweep.Sweep) { s.EveryByte = true })
	verdicts := map[string]matrix.Verdict{}
	for _, s := range r.Strips {
		for _, one := range s.Ranges {
			verdicts[fmt.Sprintf("%s-%d", s.ID(one), one.To)] = one.Verdict
		}
	}
	want := map[string]matrix.Verdict{"fin/1/to_server/1+0-6": matrix.Error, "fin/1/to_client/1+0-5": matrix.Error, "fin/1/to_client/1+6-6": matrix.OK}
	if fmt.Sprint(verdicts) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", verdicts, want)
	}
	if gate.Seed != seed {
		t.Errorf("the gate has the seed %d, want its own, %d", gate.Seed, seed)
	}
}
