//go:build linux

package realservers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/redis/go-redis/v9"
)

// TestRedisReadsAreNeverWrong reads values that do not change. Whatever happens on the way, a client that is given a value
// is given that of its key.
func TestRedisReadsAreNeverWrong(t *testing.T) {
	slice := chaos.Slice{Size: 50, Vary: 49}
	delay := chaos.Delay{By: 3 * time.Millisecond, Jitter: 2 * time.Millisecond}
	tests := []struct {
		name   string
		faults []chaos.Fault
		resets int  // connections are reset at random moments, so many milliseconds apart at most
		hasty  bool // some reads are given less time than they take
	}{
		{name: "slices", faults: []chaos.Fault{slice}},
		{name: "delay", faults: []chaos.Fault{delay}},
		{name: "delay and reads that are given up", faults: []chaos.Fault{delay}, hasty: true},
		{name: "resets", resets: 10},
		{name: "everything at once", faults: []chaos.Fault{slice, delay}, resets: 100, hasty: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := startRedis(t)
			direct := r.connect(t)
			for n := range readKeys {
				if err := direct.Set(t.Context(), fmt.Sprint(n), readValue(n), 0).Err(); err != nil {
					t.Fatal(err)
				}
			}
			g := chaostest.NewGate(t, r.addr)
			imposed := impose(g, test.faults...)
			reads := &readers{t: t, client: redisClient(t, patient(g.Addr())), hasty: test.hasty}
			reads.run(g, test.resets)
			t.Logf("%d reads, %d errors", reads.right.Load(), reads.failed.Load())
			chaostest.Fired(t, imposed...)
		})
	}
}

const (
	readKeys    = 50
	readsRight  = 300 // so many reads are to succeed
	readsFailed = 30  // and so many to fail, where any can
)

// readValue returns the value of a key: each of another length, and unlike any other.
func readValue(n int) string {
	return strings.Repeat(fmt.Sprintf("value %d.\r\n", n), 1+n*n/4)
}

// readers read at random.
type readers struct {
	t             *testing.T
	client        *redis.Client
	hasty         bool
	right, failed atomic.Int64
}

// run reads until there are enough results, while connections are reset if resets is not 0.
func (r *readers) run(g *chaos.Gate, resets int) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	var work sync.WaitGroup
	for k := range 4 {
		work.Go(func() {
			random := rand.New(rand.NewPCG(g.Seed, uint64(k)))
			for ctx.Err() == nil {
				r.read(context.WithoutCancel(ctx), random)
			}
		})
	}
	if resets > 0 {
		work.Go(func() {
			random := rand.New(rand.NewPCG(g.Seed, 100))
			for ctx.Err() == nil {
				time.Sleep(time.Duration(random.IntN(resets)) * time.Millisecond) // the random moments
				g.ResetConns(1 + random.IntN(4))
			}
		})
	}
	defer func() {
		cancel()
		work.Wait()
	}()
	until(r.t, transfersWithin, "enough reads", func() bool {
		return r.right.Load() >= readsRight && (r.failed.Load() >= readsFailed || resets == 0 && !r.hasty)
	})
	if resets == 0 && !r.hasty && r.failed.Load() > 0 {
		r.t.Errorf("%d reads failed, want none", r.failed.Load())
	}
}

// read reads one value, or gives up.
func (r *readers) read(ctx context.Context, random *rand.Rand) {
	if r.hasty && random.IntN(4) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(1+random.IntN(10))*time.Millisecond)
		defer cancel()
	}
	n := random.IntN(readKeys)
	got, err := r.client.Get(ctx, fmt.Sprint(n)).Result()
	var said redis.Error
	switch {
	case errors.As(err, &said): // redis.Nil as well: each key has a value
		r.t.Errorf("key %d: the server says %v, want a value", n, err)
	case err != nil:
		r.failed.Add(1)
	case got != readValue(n):
		r.t.Errorf("key %d: got %.40q with %d bytes, want %.40q with %d", n, got, len(got), readValue(n), len(readValue(n)))
	default:
		r.right.Add(1)
	}
}
