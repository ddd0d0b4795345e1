package chaos

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// code is what runs of a test's own code, on goroutines of its own.
type code struct {
	mu      sync.Mutex // guards what follows
	running map[*Stage]int
	idle    chan struct{} // closed and made anew when nothing runs any more; nil if nobody waits
}

// spawn runs f, a stage's code, on a goroutine of its own.
func (g *Gate) spawn(st *Stage, f func()) {
	c := &g.code
	c.mu.Lock()
	if c.running == nil {
		c.running = make(map[*Stage]int)
	}
	c.running[st]++
	c.mu.Unlock()
	go c.run(st, f)
}

func (c *code) run(st *Stage, f func()) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.running[st]--; c.running[st] == 0 {
			delete(c.running, st)
		}
		if len(c.running) == 0 && c.idle != nil {
			close(c.idle)
			c.idle = nil
		}
	}()
	f()
}

// await waits until nothing runs any more. Code cannot be stopped: what runs on when late comes is named.
func (c *code) await(late <-chan time.Time) error {
	c.mu.Lock()
	if len(c.running) == 0 {
		c.mu.Unlock()
		return nil
	}
	c.idle = make(chan struct{})
	idle := c.idle
	c.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-late:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for st := range c.running {
		errs = append(errs, fmt.Errorf("conn %d: the code of %s on %v has not returned", st.line.conn.ordinal, st.name(), st.line.dir))
	}
	return errors.Join(errs...)
}
