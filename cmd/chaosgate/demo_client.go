package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/chaosgate/chaos/matrix"
)

const (
	clientPool    = 4
	clientTimeout = 300 * time.Millisecond // to connect, to read, to write, and to wait for the pool
	clientRetries = 1
	valueSize     = 4 << 10 // bytes: more than one packet on most links, less than the socket buffers
)

// A demoClient is a real client library with the settings that a careful application gives it: a small pool, short
// timeouts, one retry.
type demoClient struct {
	redis *redis.Client
	keys  atomic.Int64 // keys used so far: each exchange has its own
}

// newDemoClient returns a client of the server at an address.
func newDemoClient(addr string) *demoClient {
	redis.SetLogger(&logging.VoidLogger{}) // it would write to stderr about every failed dial
	c := &demoClient{}
	c.redis = redis.NewClient(&redis.Options{
		Addr:             addr,
		PoolSize:         clientPool,
		MaxActiveConns:   clientPool,
		Protocol:         2,  // with 3 its look for push messages swallows a reset, and it says EOF
		PipelinePoolSize: -1, // nothing is pipelined here
		PoolTimeout:      clientTimeout,
		DialTimeout:      clientTimeout,
		DialerRetries:    1,
		ReadTimeout:      clientTimeout,
		WriteTimeout:     clientTimeout,
		MaxRetries:       clientRetries,
		DisableIdentity:  true,

		ContextTimeoutEnabled:    true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	return c
}

func (c *demoClient) close() { c.redis.Close() }

// probe stores a value under a key of its own and reads it back.
func (c *demoClient) probe(ctx context.Context, _ string) (matrix.Answer, error) {
	n := c.keys.Add(1)
	key, value := fmt.Sprintf("demo:%p:%d", c, n), demoValue(n)
	status, err := c.redis.Set(ctx, key, value, 0).Result()
	if err != nil {
		return matrix.Answer{}, complaint(err)
	}
	read, err := c.redis.Get(ctx, key).Result()
	switch {
	case errors.Is(err, redis.Nil): // stored, so it said, and now it is not there
		return matrix.Answer{}, fmt.Errorf("%w: what was stored is not there", matrix.ErrWrong)
	case err != nil:
		return matrix.Answer{}, complaint(err)
	case status != "OK":
		return matrix.Answer{}, fmt.Errorf("%w: %s, and not OK", matrix.ErrWrong, safe(clip(status, 20)))
	case read != value:
		return matrix.Answer{}, fmt.Errorf("%w: not what was stored", matrix.ErrWrong)
	}
	return matrix.Answer{Output: "what was stored"}, nil
}

// demoValue returns a value that is like no other. It has no star in it (see guarded), and a word to substitute.
func demoValue(n int64) string {
	line := fmt.Sprintf("value %d: the cat sat on the mat. ", n)
	return strings.Repeat(line, valueSize/len(line)+1)[:valueSize]
}

// complaint returns an error of the client, in a few words where its own would be many.
func complaint(err error) error {
	var said redis.Error
	var number *strconv.NumError
	switch {
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return fmt.Errorf("no free connection: %w", err)
	case errors.As(err, &said):
		return fmt.Errorf("server: %s", safe(clip(said.Error(), 40)))
	case errors.As(err, &number), strings.HasPrefix(err.Error(), "redis: "):
		return fmt.Errorf("not understood: %s", safe(clip(err.Error(), 40)))
	}
	return err
}
