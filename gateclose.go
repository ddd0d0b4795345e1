package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// closePatience is how long Close waits for the last bytes of connections.
const closePatience = 5 * time.Second

// Close ends the gate and all that goes through it, and frees its port. It waits until nothing is left: no goroutine, no
// descriptor. What takes longer than 5 s is destroyed, and the error says what that was.
func (g *Gate) Close() error { return g.BeginClose()() }

// BeginClose is the part of [Gate.Close] that waits for nobody: when it returns the port is free, and all connections have left Conns.
// The function that it returns is the other part: call it once.
func (g *Gate) BeginClose() (wait func() error) {
	g.changing.Lock()
	defer g.changing.Unlock() // before wait: the observer may wait for it, and is waited for
	was := g.become(closed)
	if was == unstarted || was == closed {
		return func() error { return nil }
	}
	err := g.front.close()
	g.CloseConns(All)
	if g.exchange != nil { // its front is what all sessions answer by
		select {
		case <-g.exchange.away:
		case <-time.After(closePatience): // wait says what does not end
		}
	}
	return func() error {
		err := errors.Join(err, g.await(), g.events.close())
		unshareProcess()
		return err
	}
}

// await waits until nothing is left of any connection, nor of a test's own code.
func (g *Gate) await() error {
	gone := make(chan struct{})
	go func() {
		g.conns.Wait()
		close(gone)
	}()
	slow := time.NewTimer(closePatience)
	defer slow.Stop()
	var errs []error
	select {
	case <-gone:
	case <-slow.C:
		g.mu.Lock()
		late := slices.SortedFunc(maps.Keys(g.ending), func(a, b *Conn) int { return cmp.Compare(a.nth, b.nth) })
		g.mu.Unlock()
		for _, c := range late {
			errs = append(errs, fmt.Errorf("%v had not ended after %v: %s", c, closePatience, c.unfinished()))
		}
		g.impatient.Store(true)
		for _, c := range late {
			c.kick()
		}
		<-gone
		slow.Reset(0)
	}
	return errors.Join(append(errs, g.code.await(slow.C))...)
}
