package client

import (
	"context"
	"errors"
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
// lasts for ttl. Release says so if the lease was not held all the while: with [ErrRestarted] if the daemon was started anew meanwhile.
func (c *Client) HoldLease(ctx context.Context, name string, ttl time.Duration) (release func() error, err error) {
	if _, err := c.Lease(ctx, name, ttl); err != nil {
		return nil, err
	}
	holding, stop := context.WithCancelCause(ctx)
	held := make(chan error, 1) // why it is held no more
	begun := make(chan struct{})
	go func() { held <- c.hold(holding, name, ttl, begun) }()
	select {
	case <-begun:
	case err := <-held:
		stop(nil)
		return nil, err
	}
	released := false
	return func() error {
		if !released {
			released = true
			stop(errReleased)
			err = <-held
		}
		return err
	}, nil
}

// errReleased is why a lease is held no more.
var errReleased = errors.New("the lease was released")

// hold holds a lease until the context ends, and closes begun as soon as it does. It returns what was wrong with that.
func (c *Client) hold(ctx context.Context, name string, ttl time.Duration, begun chan<- struct{}) error {
	var lost error
	q := EventsQuery{
		Types: []chaos.EventType{status.EventExpired}, // of which this lease's is none while it is held
		Lease: name, TTL: ttl, begun: func() { close(begun) }, restarted: func() { lost = ErrRestarted },
	}
	for _, err := range c.Events(ctx, q) {
		switch {
		case ctx.Err() != nil:
			return lost
		case err != nil:
			return err
		}
	}
	return lost
}
