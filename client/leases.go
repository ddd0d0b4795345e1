package client

import (
	"context"
	"net/http"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// leases is where the leases are.
var leases = []string{"v1", "leases"}

// Lease makes a lease, or renews it: it ends in ttl, unless it is renewed.
func (c *Client) Lease(ctx context.Context, name string, ttl time.Duration) (lease status.Lease, err error) {
	body := map[string]spec.Duration{"ttl": spec.Duration(ttl)}
	return lease, c.ask(ctx, request{method: http.MethodPut, path: append(leases[:2:2], name), body: body}, &lease)
}

// Leases returns all leases, sorted by name.
func (c *Client) Leases(ctx context.Context) (list []status.Lease, err error) {
	return list, c.ask(ctx, request{method: http.MethodGet, path: leases}, &list)
}

// ReadLease returns a lease, and leaves its time as it is.
func (c *Client) ReadLease(ctx context.Context, name string) (lease status.Lease, err error) {
	return lease, c.ask(ctx, request{method: http.MethodGet, path: append(leases[:2:2], name)}, &lease)
}

// EndLease ends a lease: what hangs on it is lifted, opened or removed. It returns the lease as it was last.
func (c *Client) EndLease(ctx context.Context, name string) (lease status.Lease, err error) {
	return lease, c.ask(ctx, request{method: http.MethodDelete, path: append(leases[:2:2], name)}, &lease)
}

// HoldLease makes a lease, or renews it, and keeps it from ending until it is released, or ctx ends, or this process does: from then on it
// lasts for ttl.
func (c *Client) HoldLease(ctx context.Context, name string, ttl time.Duration) (*Hold, error) {
	if _, err := c.Lease(ctx, name, ttl); err != nil {
		return nil, err
	}
	holding, stop := context.WithCancel(ctx)
	h := &Hold{stop: stop, done: make(chan struct{})}
	begun := make(chan struct{})
	go h.run(holding, c, name, ttl, begun)
	select {
	case <-begun:
		return h, nil
	case <-h.done:
		stop()
		if h.err == nil {
			h.err = context.Cause(ctx)
		}
		return nil, h.err
	}
}

// A Hold keeps a lease from ending.
type Hold struct {
	stop context.CancelFunc
	done chan struct{} // closed when the lease is held no more
	err  error         // why it was not held all the while; to be read when done is closed
}

// Done returns a channel that is closed when the lease is held no more, be it that the daemon cannot be reached any more.
func (h *Hold) Done() <-chan struct{} { return h.done }

// Release lets the lease end. It says so if the lease was not held all the while: with [ErrRestarted] if the daemon was started anew meanwhile.
func (h *Hold) Release() error {
	h.stop()
	<-h.done
	return h.err
}

// run holds a lease until the context ends, and closes begun as soon as it does.
func (h *Hold) run(ctx context.Context, c *Client, name string, ttl time.Duration, begun chan<- struct{}) {
	defer close(h.done)
	q := EventsQuery{
		Types: []chaos.EventType{status.EventExpired}, // of which this lease's is none while it is held
		Lease: name, TTL: ttl, begun: func() { close(begun) }, restarted: func() { h.err = ErrRestarted },
	}
	for _, err := range c.Events(ctx, q) {
		if err != nil && ctx.Err() == nil {
			h.err = err
		}
	}
}
