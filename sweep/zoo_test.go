package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/sweep"
)

// A store is the server of the zoo: it keeps keys, of 16 letters each, and answers each with a header, the four digits of a length, and a body of as many
// bytes.
type store struct {
	net *chaostest.Network

	mu   sync.Mutex // guards what follows
	kept map[string]int
}

const stored = "it is stored"

func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{net: chaostest.NewNetwork(), kept: map[string]int{}}
	listener, err := s.net.Listen(t.Context(), "tcp", labServer)
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
				for key := make([]byte, 16); ; {
					if _, err := io.ReadFull(conn, key); err != nil {
						return
					}
					s.mu.Lock()
					s.kept[string(key)]++
					s.mu.Unlock()
					fmt.Fprintf(conn, "%04d%s", len(stored), stored)
				}
			}()
		}
	}()
	return s
}

// once is the check: what an attempt has written is there once, and if it has failed once at most.
func (s *store) once(_ context.Context, a matrix.Attempt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.kept[a.ID]; n > 1 || n == 0 && a.Outcome == matrix.OK {
		return fmt.Errorf("it is there %d times", n)
	}
	return nil
}

// An animal is a client of the store. Its defects sit at one point only: all else about it is right, so that one without any is the repaired twin of each.
type animal struct {
	retries   bool // writes again when the answer is lost
	hasty     bool // takes what comes at once for the whole header
	patient   bool // waits for the rest of a header also when the stream has ended
	believing bool // takes a body that was cut for all there is
}

// add stores a key.
func (a animal) add(ctx context.Context, dial func() (net.Conn, error)) (string, error) {
	key := matrix.AttemptID(ctx)
	answer, err := a.write(dial, key)
	if err != nil && a.retries {
		answer, err = a.write(dial, key)
	}
	return answer, err
}

func (a animal) write(dial func() (net.Conn, error), key string) (string, error) {
	conn, err := dial()
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(3 * time.Second))
	if _, err := io.WriteString(conn, key); err != nil {
		return "", err
	}
	header := make([]byte, 4)
	if err := a.header(conn, header); err != nil {
		return "", err
	}
	var size int
	if _, err := fmt.Sscanf(string(header), "%04d", &size); err != nil || size > 1000 {
		return "", errors.New("no header")
	}
	body := make([]byte, size)
	n, err := io.ReadFull(conn, body)
	if a.believing && errors.Is(err, io.ErrUnexpectedEOF) {
		return string(body[:n]), nil
	}
	return string(body), err
}

func (a animal) header(conn net.Conn, header []byte) error {
	if a.hasty {
		_, err := conn.Read(header)
		return err
	}
	n, err := io.ReadFull(conn, header)
	if a.patient && n > 0 && n < 4 {
		time.Sleep(time.Hour) // it may come yet
	}
	return err
}

// sweeps returns a sweep of an animal.
func (s *store) sweeps(a animal, actions ...string) *sweep.Sweep {
	out := &sweep.Sweep{
		Run: matrix.Run{
			Server: labServer, Seed: 42, Workers: 4,
			Configure: func(g *chaos.Gate) { g.ListenFunc, g.DialContext = s.net.Listen, s.net.Dial },
			Probe: func(ctx context.Context, addr string) (matrix.Answer, error) {
				answer, err := a.add(ctx, func() (net.Conn, error) { return s.net.Dial(ctx, "tcp", addr) })
				return matrix.Answer{Output: answer}, err
			},
		},
		Check: s.once,
	}
	for _, name := range actions {
		action, err := sweep.ActionNamed(name)
		if err != nil {
			panic(err)
		}
		out.Actions = append(out.Actions, action)
	}
	return out
}

// TestZoo finds the one place at which each animal goes wrong, and nothing about its repaired twin.
func TestZoo(t *testing.T) {
	const ask, answer = "1/to_server/1: ", "1/to_client/1: "
	tests := []struct {
		name   string
		animal animal
		action string
		want   []string
	}{
		{"loses the acknowledgement and writes again", animal{retries: true}, "fin", []string{"fin " + ask + "0-15 ok 16-16 wrong", "fin " + answer + "0-15 wrong 16-16 ok"}},
		{"misreads a header that is split", animal{hasty: true}, "split", []string{"split " + ask + "0-16 ok", "split " + answer + "0-0 ok 1-3 wrong 4-16 ok"}},
		{"hangs when the stream ends in a header", animal{patient: true}, "fin", []string{"fin " + ask + "0-16 error", "fin " + answer + "0-0 error 1-3 hang 4-15 error 16-16 ok"}},
		{"believes a body that is cut", animal{believing: true}, "fin", []string{"fin " + ask + "0-16 error", "fin " + answer + "0-4 error 5-15 wrong 16-16 ok"}},
	}
	for _, tt := range tests {
		for _, every := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/every=%t", strings.ReplaceAll(tt.name, " ", "_"), every), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					defer time.Sleep(2 * time.Hour) // so that who hangs has an end
					s := newStore(t).sweeps(tt.animal, tt.action)
					s.EveryByte = every
					if diff := cmp.Diff(strings.Join(tt.want, "\n")+"\n", strips(report(t, s))); diff != "" {
						t.Errorf("(-want +got)\n%s", diff)
					}
				})
			})
		}
	}
	t.Run("the repaired twin", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newStore(t).sweeps(animal{}, "fin", "reset", "stall", "split", "delay")
			s.EveryByte = true
			r := report(t, s)
			for strips, ranges := r.BadRanges(); len(ranges) > 0; ranges = ranges[1:] {
				t.Errorf("%s: %s", strips[0].ID(ranges[0]), ranges[0].Says)
				strips = strips[1:]
			}
			if want := 5 * 2 * 17; r.Runs != want || r.Bad > 0 {
				t.Errorf("got %d points, %d bad ranges, want %d and none", r.Runs, r.Bad, want)
			}
		})
	})
}

// TestSameSeedSameOutcome repeats a sweep.
func TestSameSeedSameOutcome(t *testing.T) {
	outcome := func() (text string) {
		synctest.Test(t, func(t *testing.T) {
			text = strips(report(t, newStore(t).sweeps(animal{believing: true}, "fin", "corrupt")))
		})
		return text
	}
	first := outcome()
	for range 99 {
		if again := outcome(); again != first {
			t.Fatalf("got\n%s\nand before\n%s", again, first)
		}
	}
}
