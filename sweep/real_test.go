package sweep_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/sweep"
)

// TestThousandBytesEachWay sweeps every byte of 1,000 each way, over sockets, with a server that takes 5 ms to answer.
func TestThousandBytesEachWay(t *testing.T) {
	if testing.Short() {
		t.Skip("it tries 2,002 points")
	}
	const size = 1000
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
				request := make([]byte, size)
				if _, err := io.ReadFull(conn, request); err == nil {
					time.Sleep(5 * time.Millisecond) // the probe is to take as long
					conn.Write(request)
				}
			}()
		}
	}()
	want := bytes.Repeat([]byte("0123456789"), size/10)
	s := &sweep.Sweep{EveryByte: true, Run: matrix.Run{
		Server: listener.Addr().String(), Seed: 1,
		Probe: func(ctx context.Context, addr string) (matrix.Answer, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
			if err != nil {
				return matrix.Answer{}, err
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := conn.Write(want); err != nil {
				return matrix.Answer{}, err
			}
			got := make([]byte, size)
			_, err = io.ReadFull(conn, got)
			return matrix.Answer{Output: string(got)}, err
		},
	}}
	r := report(t, s)
	if got, want := strips(r), "fin 1/to_server/1: 0-1000 error\nfin 1/to_client/1: 0-999 error 1000-1000 ok\n"; got != want || r.Runs != 2*(size+1) || len(r.LeftOut) > 0 {
		t.Errorf("got %s by %d points, left out %q, want %s by %d", got, r.Runs, r.LeftOut, want, 2*(size+1))
	}
	t.Logf("%d points in %v", r.Runs, r.Took)
}

// TestEndBehindARequestComesBeforeItsAnswer cuts behind the last byte of a request again and again: whether the answer comes must not depend on who is
// quicker.
func TestEndBehindARequestComesBeforeItsAnswer(t *testing.T) {
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
	for i := range 20 {
		s := &sweep.Sweep{Point: &sweep.Point{Conn: 1, Direction: chaos.ToServer, Message: 1, Offset: 5}, Run: matrix.Run{
			Server: listener.Addr().String(), Seed: 1, Workers: 1,
			Probe: func(ctx context.Context, addr string) (matrix.Answer, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
				if err != nil {
					return matrix.Answer{}, err
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(5 * time.Second))
				if _, err := io.WriteString(conn, "hello"); err != nil {
					return matrix.Answer{}, err
				}
				got := make([]byte, 5)
				_, err = io.ReadFull(conn, got)
				return matrix.Answer{Output: string(got)}, err
			},
		}}
		if got, want := strips(report(t, s)), "fin 1/to_server/1: 5-5 error\n"; got != want {
			t.Fatalf("run %d: got %s, want %s", i+1, got, want)
		}
	}
}
