package api

import (
	"context"
	"net/http"
	"time"

	"github.com/chaosgate/chaos/spec"
)

const (
	longestWait = 10 * time.Minute
	defaultWait = 30 * time.Second
)

// A Waiting is how long an answer may wait for what it is asked to wait for.
type Waiting struct {
	Wait string `query:"wait" example:"5s" doc:"how long to wait at most, up to 10m; 30s if it is not said"`
}

// within returns a context that ends when what is waited for has not come.
func (w Waiting) within(ctx context.Context) (context.Context, context.CancelFunc, error) {
	d, err := duration("wait", w.Wait, defaultWait)
	if err != nil {
		return nil, nil, err
	}
	if d > longestWait {
		return nil, nil, invalid("wait", "wait: got %s, want at most %v", w.Wait, spec.Duration(longestWait))
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	return ctx, cancel, nil
}

// duration reads a parameter that is a duration.
func duration(name, text string, otherwise time.Duration) (time.Duration, error) {
	if text == "" {
		return otherwise, nil
	}
	var d spec.Duration
	if err := d.UnmarshalText([]byte(text)); err != nil {
		return 0, invalid(name, "%s: %w", name, err)
	}
	return d.Duration(), nil
}

// waitOf returns how much later than others a request may be answered.
func waitOf(r *http.Request) time.Duration {
	d, err := duration("wait", r.URL.Query().Get("wait"), defaultWait)
	if err != nil {
		return defaultWait
	}
	return min(d, longestWait)
}
