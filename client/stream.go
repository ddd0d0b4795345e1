package client

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/chaosgate/chaos/status"
)

const (
	// silence is how long a stream may say nothing before it is taken for broken: three times what lies between the daemon's heartbeats.
	silence = 45 * time.Second
	// patience is for how long a broken stream is made again.
	patience = 30 * time.Second
	// shortestPause and longestPause lie between two attempts to make a stream again.
	shortestPause, longestPause = 50 * time.Millisecond, 2 * time.Second
	// longestEvent is how many bytes an event may have.
	longestEvent = 1 << 20

	statusTimedOut = http.StatusRequestTimeout
)

var (
	errStopped   = errors.New("nobody listens any more")
	errRestarted = errors.New("another run of the daemon has answered")
	errSilent    = fmt.Errorf("nothing was heard for %v", silence)
)

// A stream is server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) that go on where their connection
// breaks. One goroutine uses it.
type stream struct {
	client *Client
	query  EventsQuery
	seen   string    // the ID of the last event; "" if none is known
	boot   string    // the run of the daemon that tells them; "" before it has answered
	begun  bool      // it has answered
	broken time.Time // since when there is no connection; zero if there is one
	pause  time.Duration
}

// A breach is that the connection of a stream has broken, and may be made again.
type breach struct{ error }

// run tells events until the context ends, the daemon cannot be reached or nobody listens.
func (s *stream) run(ctx context.Context, yield func(status.Event, error) bool) {
	for {
		err := s.listen(ctx, yield)
		var again breach
		switch {
		case errors.Is(err, errStopped):
			return
		case ctx.Err() != nil:
			yield(status.Event{}, context.Cause(ctx))
			return
		case errors.Is(err, errRestarted):
			s.boot, s.seen = "", "0" // all of the new run is to be told
			if s.query.restarted != nil {
				s.query.restarted()
			}
			if !yield(lost("the daemon was started anew: what happened in between is not known"), nil) {
				return
			}
			continue
		case !errors.As(err, &again), !s.begun:
			yield(status.Event{}, unwrapped(err))
			return
		}
		if !s.rest(ctx, again.error) {
			yield(status.Event{}, cmp.Or(context.Cause(ctx), again.error))
			return
		}
	}
}

// unwrapped returns what is in a breach, or the error itself.
func unwrapped(err error) error {
	if b, ok := errors.AsType[breach](err); ok {
		return b.error
	}
	return err
}

// lost returns the event that events were lost.
func lost(why string) status.Event {
	return status.Event{Time: time.Now(), Type: status.EventLost, Err: why}
}

// rest waits before the connection is made again. It returns false if that has been tried for long enough, or the context ends.
func (s *stream) rest(ctx context.Context, why error) bool {
	now := time.Now()
	if s.broken.IsZero() {
		s.broken, s.pause = now, shortestPause
		if s.query.Broken != nil {
			s.query.Broken(why)
		}
	} else {
		s.pause = min(2*s.pause, longestPause)
	}
	left := cmp.Or(s.query.Patience, patience) - now.Sub(s.broken)
	if left <= 0 {
		return false
	}
	select {
	case <-time.After(min(s.pause, left)):
		return true
	case <-ctx.Done():
		return false
	}
}

// listen makes a connection and tells the events that come. It returns why it does so no more, never nil.
func (s *stream) listen(ctx context.Context, yield func(status.Event, error) bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watch.Stop()
	answer, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if s.begun && s.seen == "" && !yield(lost("the connection has broken before the first event: what happened in between is not known"), nil) {
		return errStopped
	}
	if !s.begun && s.query.begun != nil {
		s.query.begun()
	}
	s.begun = true
	return s.read(ctx, answer, watch, yield)
}

// open makes a connection to the daemon.
func (s *stream) open(ctx context.Context) (*http.Response, error) {
	r := request{method: http.MethodGet, path: []string{"v1", "events"}, query: s.query.values(), accept: "text/event-stream", boot: s.boot}
	if s.seen != "" {
		r.query.Set("since", s.seen)
	}
	answer, err := s.client.send(ctx, r)
	refused, isRefused := errors.AsType[*Error](err)
	switch {
	case errors.Is(err, ErrRestarted) && s.client.meant.Load() == nil:
		return nil, errRestarted
	case isRefused && refused.Status < http.StatusInternalServerError:
		return nil, err
	case err != nil:
		return nil, breach{err}
	}
	boot := answer.Header.Get(bootHeader)
	if s.boot != "" && s.boot != boot {
		answer.Body.Close()
		return nil, errRestarted
	}
	s.boot = boot
	return answer, nil
}

// read tells the events that come on a connection.
func (s *stream) read(ctx context.Context, answer *http.Response, watch *time.Timer, yield func(status.Event, error) bool) error {
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, longestEvent)
	var id string
	var data []byte
	for lines.Scan() {
		watch.Reset(silence)
		s.broken = time.Time{}
		name, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "id":
			id = string(value)
		case "data":
			data = append(data, value...)
		case "": // an empty line ends an event; otherwise it is a comment
			if len(lines.Bytes()) > 0 {
				continue
			}
			s.seen = cmp.Or(id, s.seen)
			id = ""
			if len(data) == 0 {
				continue
			}
			var event status.Event
			if err := json.Unmarshal(data, &event); err != nil {
				return fmt.Errorf("reading an event: %w", err)
			}
			data = data[:0]
			if !yield(event, nil) {
				return errStopped
			}
		}
	}
	err := lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("reading an event: %w", err)
	case err == nil:
		err = errors.New("the daemon has ended the stream")
	case context.Cause(ctx) != nil:
		err = context.Cause(ctx)
	}
	return breach{&unreachable{s.client.url, err}}
}
