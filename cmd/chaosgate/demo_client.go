package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
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
	redis   *redis.Client
	dials   atomic.Int64 // connections opened so far
	refused atomic.Int64 // connects that were refused
	keys    atomic.Int64 // keys used so far: each exchange has its own
}

// newDemoClient returns a client of the server at an address.
func newDemoClient(addr string) *demoClient {
	redis.SetLogger(&logging.VoidLogger{}) // it would write to stderr about every failed dial
	c := &demoClient{}
	c.redis = redis.NewClient(&redis.Options{
		Addr:             addr,
		Dialer:           c.dial,
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

// dial opens a connection and counts it.
func (c *demoClient) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	switch {
	case err == nil:
		c.dials.Add(1)
	case errors.Is(err, syscall.ECONNREFUSED):
		c.refused.Add(1)
	}
	return conn, err
}

func (c *demoClient) close() { c.redis.Close() }

// exchange stores a value under a key of its own, reads it back, and tells what came of it.
func (c *demoClient) exchange(ctx context.Context) (o outcome) {
	begin := time.Now()
	defer func() {
		if r := recover(); r != nil {
			o.kind, o.what = failed, "panic: "+safe(fmt.Sprint(r))
		}
		o.took = time.Since(begin)
		if o.kind == fine && o.took > slowAfter {
			o.kind = slow
		}
	}()
	n := c.keys.Add(1)
	key, value := fmt.Sprintf("demo:%d", n), demoValue(n)
	status, err := c.redis.Set(ctx, key, value, 0).Result()
	if err != nil {
		return outcome{kind: failed, what: complaint(err)}
	}
	read, err := c.redis.Get(ctx, key).Result()
	switch {
	case errors.Is(err, redis.Nil): // stored, so it said, and now it is not there
		return outcome{kind: wrong}
	case err != nil:
		return outcome{kind: failed, what: complaint(err)}
	case status != "OK" || read != value:
		return outcome{kind: wrong}
	}
	return outcome{}
}

// demoValue returns a value that is like no other. It has no star in it (see guarded), and a word to substitute.
func demoValue(n int64) string {
	line := fmt.Sprintf("value %d: the cat sat on the mat. ", n)
	return strings.Repeat(line, valueSize/len(line)+1)[:valueSize]
}

// complaint returns in a few words what an error of the client says.
func complaint(err error) string {
	var op *net.OpError
	var said redis.Error
	var number *strconv.NumError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, syscall.EPIPE):
		return "broken pipe"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return "no free connection"
	case errors.As(err, &op) && op.Op == "dial" && op.Timeout():
		return "connect timed out"
	case isTimeout(err):
		return "timed out"
	case errors.As(err, &said):
		return "server: " + safe(clip(said.Error(), 20))
	case errors.As(err, &number), strings.HasPrefix(err.Error(), "redis: "):
		return "not understood" // the client could not parse the answer
	}
	return safe(clip(err.Error(), 28))
}

// isTimeout tells whether an error is that of a client's own deadline.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout())
}
