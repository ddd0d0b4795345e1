package chaos

import (
	"cmp"
	"sync"
	"time"
)

// A BareLine is a line without a pump: a test tells it the time, and takes what leaves.
type BareLine struct {
	Flow   *Flow // what is imposed; Obey makes the line obey it
	Posted chan struct{}
	Rebind func() // called when the session gets a new socket to the server; may be nil

	line  line
	mu    sync.Mutex // guards posts
	posts []func()
}

// NewBareLine returns the line of one direction of a gate's connection of that number.
func NewBareLine(g *Gate, ordinal uint64, client string, datagrams bool, now time.Time) *BareLine {
	b := &BareLine{Flow: new(Flow), Posted: make(chan struct{}, 1)}
	c := &Conn{gate: g, ordinal: ordinal, nth: g.stats.accepted.Add(1), opened: now, seed: g.Seed}
	c.client.peer = place(client)
	b.line = line{conn: c, dir: ToServer, datagrams: datagrams, key: mix(mix(c.seed, ordinal), uint64(ToServer)), post: b.post, now: now}
	b.line.rebind = func() {
		if b.Rebind != nil {
			b.Rebind()
		}
	}
	return b
}

func (b *BareLine) post(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.posts = append(b.posts, f)
	select {
	case b.Posted <- struct{}{}:
	default:
	}
}

// Lost returns how many datagrams were thrown away, on all lines of the gate.
func (b *BareLine) Lost() int64 { return b.line.conn.gate.stats.lostDatagrams.Load() }

// RunPosts runs what was posted and reports whether there was something.
func (b *BareLine) RunPosts() bool {
	b.mu.Lock()
	posts := b.posts
	b.posts = nil
	b.mu.Unlock()
	for _, f := range posts {
		f()
	}
	return len(posts) > 0
}

// Obey makes the line obey Flow.
func (b *BareLine) Obey() { b.line.adopt([2][]entry{b.Flow.program().entries}) }

// Push feeds what has arrived.
func (b *BareLine) Push(data []byte, end End) { b.line.push(data, end) }

// Advance tells the line the time.
func (b *BareLine) Advance(now time.Time) { b.line.advance(now) }

// Next returns when the line wants to be advanced.
func (b *BareLine) Next() time.Time { return b.line.next() }

// Holds returns until when the line keeps its gate from reading.
func (b *BareLine) Holds() time.Time { return b.line.holds() }

// Held returns how many bytes the line holds back, with what it costs to keep them, and without.
func (b *BareLine) Held() (cost, bytes int64) { return b.line.held, b.line.bytes() }

// BytesWait tells those who asked for it that bytes are there which are not read.
func (b *BareLine) BytesWait() {
	b.line.watchers(func(st *Stage) {
		f := st.onBytes
		st.onBytes = nil
		f()
	})
}

// Due returns what may leave now; taken, it has left.
func (b *BareLine) Due() (data []byte, end End, by string, ok bool) {
	it := b.line.due()
	if it == nil {
		return nil, More, "", false
	}
	return it.data, it.end, it.by.name(), true
}

// Sent says that what Due returned has left.
func (b *BareLine) Sent() {
	it := b.line.queue.front()
	if b.line.datagrams && it.end == More {
		b.line.conn.datagrams[b.line.dir].Add(1)
	}
	b.line.sent(len(it.data))
}

// Ending returns how the connection is to end now.
func (b *BareLine) Ending() (how End, by string, err error) {
	e := cmp.Or(b.line.ending, &ending{})
	return e.how, e.by.name(), e.err
}

// Close ends the line and what is at work on it.
func (b *BareLine) Close() { b.line.close() }
