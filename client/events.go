package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// An EventsQuery says of which events one wants to be told. The zero EventsQuery is all that happens from now on.
type EventsQuery struct {
	Gate  string            // only those of this gate; of all if empty
	Types []chaos.EventType // only those of these types; of all if empty
	Since uint64            // those behind the event of this ID, as far as the daemon keeps them; only new ones if zero
	Kept  bool              // all that the daemon keeps, and then the new ones; Since does not count

	Lease string        // a lease that is made, or renewed, and held for as long as one listens; none if empty
	TTL   time.Duration // how long the lease lasts from then on

	Patience time.Duration // for how long a broken connection is made again before that is an error; 30 s if zero
	Broken   func(error)   // is told why each time that the connection has broken; may be nil

	begun     func() // is told that the daemon has answered for the first time; may be nil
	restarted func() // is told that another run of the daemon has; may be nil
}

// Events returns what happens, in order, until the context ends or the daemon cannot be reached any more: the error that is last says why.
// A connection that breaks is made again, and no event is missing or comes twice; what could not be told is an event of type
// [status.EventLost]. That the first connection cannot be made is an error at once.
func (c *Client) Events(ctx context.Context, q EventsQuery) iter.Seq2[status.Event, error] {
	return func(yield func(status.Event, error) bool) {
		s := &stream{client: c, query: q, seen: q.first()}
		s.run(ctx, yield)
	}
}

// WaitEvents waits until n events have come, and returns them. When the context ends it returns those that have.
func (c *Client) WaitEvents(ctx context.Context, q EventsQuery, n int) (events []status.Event, err error) {
	if n <= 0 {
		return nil, nil
	}
	for event, err := range c.Events(ctx, q) {
		switch {
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
			return events, &Error{Status: statusTimedOut, Code: "timed_out", Detail: fmt.Sprintf("%d such events have come, not %d", len(events), n), Boot: c.Boot()}
		case err != nil:
			return events, err
		}
		if events = append(events, event); len(events) == n {
			break
		}
	}
	return events, nil
}

// first returns the ID behind which the first connection begins, "" for only new events.
func (q EventsQuery) first() string {
	switch {
	case q.Kept:
		return "0"
	case q.Since > 0:
		return strconv.FormatUint(q.Since, 10)
	default:
		return ""
	}
}

// values returns the query as the daemon reads it, without where it begins.
func (q EventsQuery) values() url.Values {
	values := url.Values{}
	if q.Gate != "" {
		values.Set("gate", q.Gate)
	}
	for _, t := range q.Types {
		values.Add("type", string(t))
	}
	if q.Lease != "" {
		values.Set("lease", q.Lease)
		values.Set("ttl", spec.Duration(q.TTL).String())
	}
	return values
}
