package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
)

// A waiter is a daemon in which what is waited for comes at the n-th time that it is asked.
type waiter struct {
	comes  int
	asked  chan string
	waited time.Duration // what it waits before it says that it has not come; -1 for as long as it is asked to
}

func (d *waiter) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Chaosgate-Boot", "b1")
	d.asked <- q.URL.RequestURI()
	if d.comes--; d.comes == 0 {
		fmt.Fprint(w, `{"hits":3}`)
		return
	}
	wait, _ := time.ParseDuration(q.FormValue("wait"))
	if d.waited >= 0 {
		wait = d.waited
	}
	select {
	case <-time.After(wait):
	case <-q.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusRequestTimeout)
	fmt.Fprint(w, `{"code":"timed_out","detail":"slow has fired 2 times, not 3"}`)
}

func TestWait(t *testing.T) {
	where := client.Where{Gate: "redis", Direction: chaos.ToClient}
	t.Run("it is asked again until it has come", func(t *testing.T) {
		daemon := &waiter{comes: 3, asked: make(chan string, 3)}
		c := start(t, daemon, client.Options{})
		fault, err := c.WaitHits(t.Context(), where, "slow", 3)
		if err != nil || fault.Hits != 3 {
			t.Errorf("got %v and %v, want 3 hits", fault.Hits, err)
		}
		for range 3 {
			if got, want := <-daemon.asked, "/v1/gates/redis/to_client/slow?hits=3&wait=10m0s"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
	t.Run("the deadline passes", func(t *testing.T) {
		c := start(t, &waiter{asked: make(chan string, 100), waited: -1}, client.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		_, err := c.WaitHits(ctx, where, "slow", 3)
		if !errors.Is(err, client.ErrTimedOut) || !errors.Is(err, context.DeadlineExceeded) || err.Error() != "slow has fired 2 times, not 3" {
			t.Errorf("got %v, want that it has fired 2 times", err)
		}
	})
	t.Run("nobody waits any more", func(t *testing.T) {
		daemon := &waiter{asked: make(chan string, 1), waited: time.Hour}
		c := start(t, daemon, client.Options{})
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		go func() {
			<-daemon.asked
			cancel(enough)
		}()
		if _, err := c.WaitHits(ctx, where, "slow", 3); !errors.Is(err, enough) {
			t.Errorf("got %v, want %v", err, enough)
		}
	})
	t.Run("it cannot come", func(t *testing.T) {
		c := start(t, &recorder{status: 410, answer: `{"code":"gone","detail":"redis was removed"}`, boot: "b1"}, client.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := c.WaitConns(ctx, "redis", 2); !errors.Is(err, client.ErrGone) {
			t.Errorf("got %v, want ErrGone", err)
		}
	})
}
