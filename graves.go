package chaos

import "time"

// mourning is for how long the client's next datagram is lost with a session that a fault has ended.
const mourning = 5 * time.Second

// graves are the clients whose sessions a fault has ended. As with a socket that was closed while a datagram was on its way, the
// next datagram finds nobody; the one after that begins a new session.
type graves struct {
	until map[address]time.Time
	order []address // in the order of their moments; some were taken meanwhile
}

func newGraves() graves { return graves{until: make(map[address]time.Time)} }

func (g *graves) add(of address, now time.Time) {
	g.clean(now)
	g.until[of] = now.Add(mourning)
	g.order = append(g.order, of)
}

// take reports whether a datagram is lost with its client's last session.
func (g *graves) take(of address, now time.Time) bool {
	if len(g.until) == 0 {
		return false
	}
	until, ok := g.until[of]
	delete(g.until, of)
	return ok && now.Before(until)
}

// clean forgets those whose time is over.
func (g *graves) clean(now time.Time) {
	n := 0
	for _, of := range g.order {
		until, ok := g.until[of]
		if ok && until.After(now) {
			break
		}
		delete(g.until, of)
		n++
	}
	g.order = g.order[n:]
}
