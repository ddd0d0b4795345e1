package main

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/status"
)

// logged tells how each sort of event is logged: what changes a gate is for those who want to know what was done, what connections do is
// for those who look for something. Those that are not here are logged with the level info.
var logged = map[chaos.EventType]struct {
	level slog.Level
	says  string
}{
	status.EventCreated:    {slog.LevelInfo, "gate created"},
	status.EventRemoved:    {slog.LevelInfo, "gate removed"},
	chaos.EventStarted:     {slog.LevelInfo, "gate listens"},
	chaos.EventStopped:     {slog.LevelInfo, "gate stopped"},
	chaos.EventDoor:        {slog.LevelInfo, "door set"},
	chaos.EventImposed:     {slog.LevelInfo, "fault imposed"},
	chaos.EventChanged:     {slog.LevelInfo, "fault changed"},
	chaos.EventLifted:      {slog.LevelInfo, "fault lifted"},
	chaos.EventFired:       {slog.LevelDebug, "fault fired"},
	chaos.EventOpened:      {slog.LevelDebug, "connection opened"},
	chaos.EventClosed:      {slog.LevelDebug, "connection closed"},
	chaos.EventDialError:   {slog.LevelWarn, "server unreachable"},
	chaos.EventAcceptError: {slog.LevelWarn, "cannot accept"},
	chaos.EventFailed:      {slog.LevelWarn, "fault failed"},
	status.EventLeased:     {slog.LevelInfo, "lease made"},
	status.EventExpired:    {slog.LevelWarn, "lease ended, because it was not renewed"},
	status.EventEnded:      {slog.LevelInfo, "lease ended"},
	status.EventLost:       {slog.LevelWarn, "events lost"},
}

// An eventLog writes what happens at a daemon into its log. One goroutine uses it.
type eventLog struct {
	log   *slog.Logger
	quiet map[quietKey]*quiet
}

// quietFor is for how long an error that is there again and again is not logged again: a client that tries without a pause would fill
// the disk.
const quietFor = time.Second

// What is kept quiet is the same sort of event at the same gate.
type quietKey struct {
	gate string
	kind chaos.EventType
}

type quiet struct {
	since time.Time // when it was logged last
	times int       // how often it was not logged since then
}

// run logs all events until there will be no more.
func (l *eventLog) run(events *hub.Reader) {
	l.quiet = map[quietKey]*quiet{}
	for {
		batch, err := events.Next(context.Background()) // which ends when the hub is closed
		if err != nil {
			return
		}
		for _, e := range batch {
			l.write(e)
		}
	}
}

// write logs an event.
func (l *eventLog) write(e status.Event) {
	if e.Type == status.EventRemoved {
		maps.DeleteFunc(l.quiet, func(key quietKey, _ *quiet) bool { return key.gate == e.Gate })
	}
	how, ok := logged[e.Type]
	if !ok {
		how.says = string(e.Type)
	}
	if !l.log.Enabled(context.Background(), how.level) {
		return
	}
	record := slog.NewRecord(e.Time, how.level, how.says, 0)
	if e.Err != "" && e.Type != status.EventLost {
		unsaid, is := l.silence(e)
		if is {
			return
		}
		if unsaid > 0 {
			record.AddAttrs(slog.Int("unsaid", unsaid)) // as many more since the last that was said
		}
	}
	record.AddAttrs(attributes(e)...)
	_ = l.log.Handler().Handle(context.Background(), record) // there is nowhere else to say it
}

// silence reports whether an error is not to be logged, and otherwise how many like it were not.
func (l *eventLog) silence(e status.Event) (unsaid int, is bool) {
	key := quietKey{e.Gate, e.Type}
	q := l.quiet[key]
	if q != nil && e.Time.Sub(q.since) < quietFor {
		q.times++
		return 0, true
	}
	if q != nil {
		unsaid = q.times
	}
	l.quiet[key] = &quiet{since: e.Time}
	return unsaid, false
}

// attributes returns what an event tells, without what it does not.
func attributes(e status.Event) []slog.Attr {
	var all []slog.Attr
	text := func(key, value string) {
		if value != "" {
			all = append(all, slog.String(key, value))
		}
	}
	number := func(key string, value *int64) {
		if value != nil {
			all = append(all, slog.Int64(key, *value))
		}
	}
	seconds := func(key string, value float64) {
		if value > 0 {
			all = append(all, slog.Float64(key, math.Round(value*1e6)/1e6))
		}
	}
	text("gate", e.Gate)
	text("lease", e.Lease)
	if e.Conn > 0 {
		all = append(all, slog.Uint64("conn", e.Conn))
	}
	if e.Direction != nil {
		text("direction", e.Direction.String())
	}
	text("fault", e.Fault)
	if e.Text == "" && e.Kind != e.Fault {
		text("kind", e.Kind)
	}
	text("text", e.Text)
	if e.Door != nil {
		text("door", e.Door.String())
	}
	text("addr", e.Addr)
	text("server", e.Server)
	number("hits", e.Hits)
	number("offset", e.Offset)
	number("bytes", e.Bytes)
	number("to_server", e.ToServer)
	number("to_client", e.ToClient)
	if n := e.DatagramsToServer; n > 0 {
		number("datagrams_to_server", &n)
	}
	if n := e.DatagramsToClient; n > 0 {
		number("datagrams_to_client", &n)
	}
	number("dropped", e.Dropped)
	text("ended", e.Ended)
	if e.How != nil {
		text("how", e.How.String())
	}
	seconds("age", e.Age)
	seconds("took", e.Took)
	if e.Lost > 0 {
		number("lost", &e.Lost)
	}
	text("by", e.By)
	text("because", e.Because)
	text("error", e.Err)
	return all
}
