package chaos

import "sync"

// A follower is a line that obeys its gate's flow and its connection's own. All its state belongs to the goroutine that
// moves what the line carries, but for what says otherwise.
type follower struct {
	line  line
	progs [2]*program // what the line obeys
	obeys [2]obeyed   // what each flow knows of the follower; guarded by the flow's mu
	nudge func()      // has the goroutine look at everything again; may be called by any other

	mu    sync.Mutex // guards posts
	posts []func()
}

// obeyed is what a flow knows of a follower: which of its programs it obeys, and from where. It is the follower's place in
// the flow's list: a map for each connection's own flows would be an allocation, and the most of what they take.
type obeyed struct {
	n          uint64
	since      []since
	prev, next *follower
}

type since struct {
	imposed *Imposed
	offset  int64
}

// follow makes f the line of one direction of a connection.
func (f *follower) follow(c *Conn, dir Direction, nudge func()) {
	f.nudge = nudge
	f.line = line{conn: c, dir: dir, key: mix(mix(c.seed, c.ordinal), uint64(dir)), post: f.post, memory: &c.gate.memory}
}

// flows returns the gate's flow and the connection's own.
func (f *follower) flows() [2]*Flow {
	c := f.line.conn
	if f.line.dir == ToClient {
		return [2]*Flow{&c.gate.ToClient, &c.ToClient}
	}
	return [2]*Flow{&c.gate.ToServer, &c.ToServer}
}

// join begins to obey both flows; what they impose is adopted next.
func (f *follower) join() {
	for _, flow := range f.flows() {
		flow.join(f)
	}
	f.progs = [2]*program{emptyProgram, emptyProgram}
}

// leave ends the obedience to both flows.
func (f *follower) leave() {
	for _, flow := range f.flows() {
		flow.leave(f)
	}
}

// asked returns the programs to obey now.
func (f *follower) asked() [2]*program {
	flows := f.flows()
	return [2]*program{flows[0].program(), flows[1].program()}
}

// obey makes the line obey programs, and says so.
func (f *follower) obey(progs [2]*program) {
	f.line.adopt([2][]entry{progs[0].entries, progs[1].entries})
	for level, flow := range f.flows() {
		if progs[level] != f.progs[level] {
			flow.obeyed(f, progs[level].n)
		}
	}
	f.progs = progs
}

// post has a function called on the follower's goroutine. It may be called by any other.
func (f *follower) post(fn func()) {
	f.mu.Lock()
	f.posts = append(f.posts, fn)
	f.mu.Unlock()
	f.nudge()
}

func (f *follower) runPosts() {
	f.mu.Lock()
	posts := f.posts
	f.posts = nil
	f.mu.Unlock()
	for _, fn := range posts {
		fn()
	}
}
