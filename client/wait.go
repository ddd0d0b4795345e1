package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// longestWait is how long a daemon waits at most before it answers.
	longestWait = 10 * time.Minute
	// waitGrace is how long after the deadline its answer is waited for, which tells how far it has come.
	waitGrace = 2 * time.Second
)

// await asks the daemon to answer when there are n of something, and asks again until the context ends.
func (c *Client) await(ctx context.Context, r request, what string, n int64, answer any) error {
	deadline, bound := ctx.Deadline()
	asking := ctx
	if bound { // the daemon is asked to give up at the deadline, and its answer comes a moment later
		later, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline.Add(waitGrace))
		defer cancel()
		stop := context.AfterFunc(ctx, func() {
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				cancel()
			}
		})
		defer stop()
		asking = later
	}
	r.method = http.MethodGet
	for {
		wait := longestWait
		if bound {
			wait = max(min(wait, time.Until(deadline)), time.Millisecond)
		}
		r.query = url.Values{what: {strconv.FormatInt(n, 10)}, "wait": {wait.Round(time.Millisecond).String()}}
		err := c.ask(asking, r, answer)
		_, answered := errors.AsType[*Error](err)
		switch {
		case err == nil:
			return nil
		case !answered && ctx.Err() != nil:
			return context.Cause(ctx)
		case !errors.Is(err, ErrTimedOut), ctx.Err() != nil:
			return err
		}
	}
}
