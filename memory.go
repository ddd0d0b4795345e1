package chaos

import (
	"sync"
	"sync/atomic"
)

// memory is what all queues of a gate may hold back together.
type memory struct {
	limit int64
	used  atomic.Int64

	mu      sync.Mutex // guards starved
	starved map[*pump]struct{}
}

// add counts bytes that come to be held back, or leave. What leaves wakes those that wait for room.
func (m *memory) add(n int64) {
	used := m.used.Add(n)
	if n < 0 && used < m.limit && used-n >= m.limit {
		m.mu.Lock()
		starved := m.starved
		m.starved = nil
		m.mu.Unlock()
		for p := range starved {
			p.kick()
		}
	}
}

// full reports whether there is no room, and has p kicked when there is again.
func (m *memory) full(p *pump) bool {
	if m.used.Load() < m.limit {
		return false
	}
	m.mu.Lock()
	if m.starved == nil {
		m.starved = make(map[*pump]struct{})
	}
	m.starved[p] = struct{}{}
	m.mu.Unlock()
	return m.used.Load() >= m.limit
}

func (m *memory) forget(p *pump) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.starved, p)
}

// crowded reports whether a line holds back as much as it may, so that a stage that waits for more would wait in vain.
func (l *line) crowded() bool {
	m := l.memory
	return l.held >= int64(l.conn.gate.window()) || m != nil && m.used.Load() >= m.limit
}
