package sweep

import (
	"sync"
	"time"

	"github.com/chaosgate/chaos"
)

// A recorder is a fault that does nothing to the bytes but keep a copy of them, and fires with each. It is imposed on both flows of a gate.
type recorder struct {
	tracker *tracker
	began   time.Time

	mu       sync.Mutex // guards what follows; held shortly
	messages []*message
	kept     int  // bytes
	full     bool // there was more than mostKept
}

// mostKept is how many bytes of an exchange are recorded. A sweep of more would never end.
const mostKept = 16 << 20

// A message is what was recorded of one.
type message struct {
	Point           // before its first byte
	data     []byte //
	at, last Moment // when the first byte came, and the last
	segments []int  // how many bytes came at once
}

// A Moment is the time since an attempt began.
type Moment = time.Duration

func newRecorder(t *tracker, now time.Time) *recorder { return &recorder{tracker: t, began: now} }

// Impose implements [chaos.Fault].
func (r *recorder) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return func(s chaos.Segment) {
		if len(s.Data) > 0 {
			st.Hit(len(s.Data)) // that something went through is what the recording is to show
			r.note(r.tracker.move(st.Conn().Ordinal(), st.Direction(), len(s.Data), st.Now()), s.Data, st.Now())
		}
		next(s)
	}
}

// note keeps bytes that are at a point.
func (r *recorder) note(at Point, data []byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept += len(data); r.kept > mostKept {
		r.full = true
		return
	}
	moment := now.Sub(r.began)
	if at.Offset == 0 {
		r.messages = append(r.messages, &message{Point: at, at: moment})
	}
	for i := len(r.messages) - 1; i >= 0; i-- {
		m := r.messages[i]
		if m.Conn == at.Conn && m.Direction == at.Direction {
			m.data, m.last, m.segments = append(m.data, data...), moment, append(m.segments, len(data))
			return
		}
	}
}
