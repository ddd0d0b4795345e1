package chaos

import (
	"net"
	"sync/atomic"
)

// A hearer is told, by the watcher's goroutine, that the connection that it watches was reset. It must not block.
type hearer interface{ heard() }

// A stirrer is a hearer that can be told, too, that bytes have come or the stream has ended. It must not block.
type stirrer interface{ stirred() }

// A hearerFunc is a function that is a hearer.
type hearerFunc func()

func (f hearerFunc) heard() { f() }

// A watched is a connection that is watched. The zero watched is none.
type watched struct {
	w    *watcher
	id   uint64
	self *atomic.Bool // of a connection that tells by itself: whether it is not listened to any more
}

// watchSelf watches a connection that tells by itself.
func watchSelf(r interface{ OnReset(func()) }, h hearer) watched {
	stopped := new(atomic.Bool)
	r.OnReset(func() {
		if !stopped.Swap(true) {
			h.heard()
		}
	})
	return watched{self: stopped}
}

// listen has a hearer that is a stirrer told when something can be read, at once if it can be now, or no more, and reports
// whether that is so. The watcher may have told it once too often.
func (w watched) listen(c net.Conn, on bool) bool { return w.w != nil && w.w.listen(c, w.id, on) }

// end ends the watching.
func (w watched) end() {
	if w.self != nil {
		w.self.Store(true)
	}
	if w.w != nil {
		w.w.forget(w.id)
	}
}
