package chaostest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// memPair returns the two ends of a connection.
func memPair(t *testing.T, n *Network) (c, s *memConn) {
	t.Helper()
	l := memListen(t, n, "tcp", "")
	defer l.Close()
	c = memDial(t, n, l)
	return c, netAccept(t, l).(*memConn)
}

func TestConnKeepsWriteBoundaries(t *testing.T) {
	tests := []struct {
		name   string
		buffer int
		writes []int
		reads  []int // sizes of the slices; the last is used on and on
		want   []int
	}{
		{"one by one", 0, []int{3, 1, 5}, []int{10}, []int{3, 1, 5}},
		{"in parts", 0, []int{5, 5}, []int{3}, []int{3, 2, 3, 2}},
		{"empty writes are nothing", 0, []int{0, 4, 0, 2}, []int{10}, []int{4, 2}},
		{"a Write larger than the buffer", 10, []int{25}, []int{100}, []int{25}},
		{"a Write that meets a full buffer", 10, []int{10, 8}, []int{100}, []int{10, 8}},
		{"a Write that finds a little room", 10, []int{8, 8, 1}, []int{100}, []int{8, 8, 1}},
		{"small Reads of a large Write", 10, []int{25}, []int{7}, []int{7, 7, 7, 4}},
		{"a Read that ends where the buffer ends", 10, []int{25}, []int{10}, []int{10, 10, 5}},
		{"the default buffer", 0, []int{200_000}, []int{1 << 20}, []int{200_000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := memPair(t, &Network{Buffer: tt.buffer})
				if got := readSizes(t, c, s, tt.writes, tt.reads); !slices.Equal(got, tt.want) {
					t.Errorf("reads: got %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestConnReadsDependOnWritesAndReadsAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		buffer := rapid.IntRange(1, 50).Draw(rt, "buffer")
		writes := rapid.SliceOf(rapid.IntRange(0, 120)).Draw(rt, "writes")
		reads := rapid.SliceOfN(rapid.IntRange(1, 100), 1, -1).Draw(rt, "reads")
		var want []int
		for _, left := range writes {
			for left > 0 {
				want = append(want, min(left, reads[min(len(want), len(reads)-1)]))
				left -= want[len(want)-1]
			}
		}
		c, s := memPair(t, &Network{Buffer: buffer})
		if got := readSizes(t, c, s, writes, reads); !slices.Equal(got, want) {
			rt.Fatalf("reads: got %v, want %v", got, want)
		}
	})
}

// readSizes writes to c and reads from s until EOF. It checks the bytes and returns what each Read has returned.
func readSizes(t *testing.T, c, s *memConn, writes, reads []int) (sizes []int) {
	t.Helper()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		var next byte
		for _, size := range writes {
			p := make([]byte, size)
			for i := range p {
				next++
				p[i] = next
			}
			if n, err := c.Write(p); n != size || err != nil {
				t.Errorf("write: got %d, %v, want %d", n, err, size)
			}
		}
		c.CloseWrite()
	})
	var next byte
	for {
		p := make([]byte, reads[min(len(sizes), len(reads)-1)])
		n, err := s.Read(p)
		if err == io.EOF {
			return sizes
		}
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, n)
		for _, b := range p[:n] {
			if next++; b != next {
				t.Fatalf("read %d: got byte %d, want %d", len(sizes), b, next)
			}
		}
	}
}

func TestConnBuffer(t *testing.T) {
	for _, tt := range []struct{ buffer, want int }{{0, 64 << 10}, {1, 1}, {1000, 1000}} {
		t.Run(fmt.Sprint(tt.buffer), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := memPair(t, &Network{Buffer: tt.buffer})
				for _, end := range []*memConn{c, s} { // each direction has its own
					end.SetWriteDeadline(time.Now().Add(time.Minute))
					began := time.Now()
					n, err := end.Write(make([]byte, 1<<20))
					if n != tt.want || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Minute {
						t.Errorf("got %d, %v after %v; want %d and the deadline after a minute", n, err, time.Since(began), tt.want)
					}
					if got := end.Unsent(); got != 0 {
						t.Errorf("unsent: got %d, want 0", got)
					}
				}
			})
		})
	}
}

func TestConnWritersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memPair(t, &Network{Buffer: 10})
		for i := range 5 {
			go c.Write(bytes.Repeat([]byte{byte(i)}, 25))
		}
		synctest.Wait()
		seen := map[byte]bool{}
		for range 5 {
			p := make([]byte, 100)
			n, err := s.Read(p)
			if n != 25 || err != nil || !bytes.Equal(p[:n], bytes.Repeat(p[:1], 25)) || seen[p[0]] {
				t.Errorf("read: got %v, %v, want one whole Write", p[:n], err)
			}
			seen[p[0]] = true
		}
	})
}

func TestConnFullDuplex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memPair(t, &Network{Buffer: 777})
		sent := bytes.Repeat([]byte("0123456789"), 20_000)
		var wg sync.WaitGroup
		for _, end := range []*memConn{c, s} {
			wg.Go(func() {
				end.Write(sent)
				end.CloseWrite()
			})
			wg.Go(func() {
				if got, err := io.ReadAll(end); !bytes.Equal(got, sent) || err != nil {
					t.Errorf("read %d bytes, %v, want the %d that were sent", len(got), err, len(sent))
				}
			})
		}
		wg.Wait()
	})
}
