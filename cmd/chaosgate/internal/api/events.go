package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/status"
)

// heartbeat is how often a stream that has nothing to tell says that it is there.
const heartbeat = 15 * time.Second

// An eventsQuery says which events are wanted.
type eventsQuery struct {
	Waiting
	Since       string            `query:"since" doc:"the id of the last event that was seen, 0 for all that are kept; only new ones if it is not said"`
	LastEventID string            `header:"Last-Event-ID" doc:"as since, from a client of server-sent events that connects again"`
	Gate        []string          `query:"gate,explode" doc:"only those of this gate; may be said more than once"`
	Type        []chaos.EventType `query:"type,explode" doc:"only those of this type; may be said more than once"`
	Count       int               `query:"count" minimum:"0" maximum:"10000" doc:"answer once, when there have been so many"`
	Lease       string            `query:"lease" doc:"make a lease of that name, and hold it for as long as the stream lasts"`
	TTL         string            `query:"ttl" doc:"with lease: how long it lasts after that; 10s if it is not said"`
	Accept      string            `header:"Accept" doc:"application/x-ndjson for a line for each event; otherwise they are server-sent events"`
}

func (a *api) eventRoutes() {
	route(a, http.MethodGet, "/v1/events", "follow-events", "Follow what happens, or wait for it", a.events, func(op *huma.Operation) {
		event := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[status.Event](), true, "")
		op.Responses = map[string]*huma.Response{"200": {
			Description: "events: as a stream of server-sent events, whose data they are, or as lines; with count, as an array",
			Content: map[string]*huma.MediaType{
				"text/event-stream":    {Schema: text("server-sent events")},
				"application/x-ndjson": {Schema: event},
				"application/json":     {Schema: &huma.Schema{Type: huma.TypeArray, Items: event}},
			},
		}}
	})
}

// events answers with a stream, or with the events that were waited for.
func (a *api) events(ctx context.Context, in *eventsQuery) (*huma.StreamResponse, error) {
	since, err := in.from(a.hub.Boot())
	if err != nil {
		return nil, err
	}
	if in.Count > 0 && in.Lease != "" {
		return nil, invalid("lease", "lease: got %q beside count, want one of them: a lease is held by a stream", clean(in.Lease))
	}
	release := func() {}
	if in.Lease != "" {
		ttl, err := duration("ttl", in.TTL, 10*time.Second)
		if err != nil {
			return nil, err
		}
		if release, err = a.hub.HoldLease(by(ctx), in.Lease, ttl); err != nil {
			return nil, err
		}
	}
	reader := a.hub.Events(since)
	if in.Count > 0 {
		return a.someEvents(ctx, reader, in)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer release()
		r, w := humago.Unwrap(ctx)
		s := &stream{w: w, control: http.NewResponseController(w), boot: a.hub.Boot(), lines: in.wantsLines()}
		s.run(r.Context(), reader, in)
	}}, nil
}

// from returns the ID of the last event that was seen.
func (q *eventsQuery) from(boot string) (uint64, error) {
	name, given := "since", q.Since
	if given == "" {
		name, given = "Last-Event-ID", q.LastEventID
	}
	if given == "" {
		return hub.Now, nil
	}
	if of, id, ok := strings.Cut(given, "-"); ok { // as the ids of a stream are: BOOT-ID
		if given = id; of != boot {
			return hub.Now - 1, nil // the reader says that this daemon is another
		}
	}
	n, err := strconv.ParseUint(given, 10, 63)
	if err != nil {
		return 0, invalid(name, "%s: got %q, want the id of an event, or 0", name, clean(given))
	}
	return n, nil
}

// wants reports whether an event is one of those that are wanted. That some were lost concerns everybody.
func (q *eventsQuery) wants(e status.Event) bool {
	return (len(q.Gate) == 0 || slices.Contains(q.Gate, e.Gate)) && (len(q.Type) == 0 || slices.Contains(q.Type, e.Type)) || e.Type == status.EventLost && e.ID == 0
}

// wantsLines reports whether events are wanted as lines.
func (q *eventsQuery) wantsLines() bool {
	for part := range strings.SplitSeq(q.Accept, ",") {
		if kind, _, err := mime.ParseMediaType(part); err == nil && kind == "application/x-ndjson" {
			return true
		}
	}
	return false
}

// someEvents waits for so many events.
func (a *api) someEvents(ctx context.Context, reader *hub.Reader, in *eventsQuery) (*huma.StreamResponse, error) {
	ctx, cancel, err := in.within(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	all := []status.Event{}
	for len(all) < in.Count {
		events, err := reader.Next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, &hub.Error{Code: hub.TimedOut, Err: fmt.Errorf("there were %d such events, not %d", len(all), in.Count)}
		}
		if err != nil {
			return nil, &hub.Error{Code: hub.Gone, Err: err}
		}
		for _, e := range events {
			if in.wants(e) && e.ID != 0 && len(all) < in.Count {
				all = append(all, e)
			}
		}
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		_, w := humago.Unwrap(ctx)
		if !in.wantsLines() {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(all)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		for _, e := range all {
			json.NewEncoder(w).Encode(e)
		}
	}}, nil
}

// A stream writes events to one client.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	boot    string
	lines   bool // a line for each; otherwise server-sent events
}

// run writes events until the client is gone, or there are no more.
func (s *stream) run(ctx context.Context, reader *hub.Reader, in *eventsQuery) {
	kind := "text/event-stream"
	if s.lines {
		kind = "application/x-ndjson"
	}
	s.w.Header().Set("Content-Type", kind)
	if s.hello(reader.Seen()) != nil {
		return
	}
	for {
		waiting, cancel := context.WithTimeout(ctx, heartbeat)
		events, err := reader.Next(waiting)
		cancel()
		events = slices.DeleteFunc(events, func(e status.Event) bool { return !in.wants(e) })
		switch {
		case err == nil && len(events) == 0:
			continue
		case err != nil && (ctx.Err() != nil || errors.Is(err, hub.ErrClosed)):
			return
		}
		if s.send(events) != nil {
			return
		}
	}
}

// hello writes where the stream begins, so that who breaks off before the first event knows where to go on.
func (s *stream) hello(seen uint64) error {
	if s.lines {
		return s.send(nil)
	}
	s.control.SetWriteDeadline(time.Now().Add(answerPatience))
	if _, err := fmt.Fprintf(s.w, "id: %s-%d\n: here\n\n", s.boot, seen); err != nil {
		return err
	}
	return s.control.Flush()
}

// send writes events, or, if there are none, a sign of life. It fails when the client does not take them in time.
func (s *stream) send(events []status.Event) error {
	s.control.SetWriteDeadline(time.Now().Add(answerPatience))
	var b strings.Builder
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		switch {
		case s.lines:
			fmt.Fprintf(&b, "%s\n", data)
		case e.ID == 0: // it is about this stream alone, and nobody resumes from it
			fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", e.Type, data)
		default:
			fmt.Fprintf(&b, "id: %s-%d\nevent: %s\ndata: %s\n\n", s.boot, e.ID, e.Type, data)
		}
	}
	if len(events) == 0 {
		b.WriteString(map[bool]string{true: "\n", false: ": here\n\n"}[s.lines])
	}
	if _, err := io.WriteString(s.w, b.String()); err != nil {
		return err
	}
	return s.control.Flush()
}
