package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"reflect"
	"slices"
	"time"
)

// All is every connection, for [Gate.CloseConns] and [Gate.ResetConns].
const All = -1

// Conns returns the live connections, the oldest first.
func (g *Gate) Conns() []*Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.SortedFunc(maps.Keys(g.live), func(a, b *Conn) int { return cmp.Compare(a.nth, b.nth) })
}

// WaitConns blocks until at least n connections are open through to the server.
func (g *Gate) WaitConns(ctx context.Context, n int) error {
	for {
		g.mu.Lock()
		if g.changed == nil {
			g.changed = make(chan struct{})
		}
		changed := g.changed
		g.mu.Unlock()
		open := 0
		for _, c := range g.Conns() {
			if s := c.Info().State; s == Established || s == HalfClosed {
				open++
			}
		}
		if open >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// CloseConns ends the n oldest connections with FIN on both legs and returns how many it ended.
func (g *Gate) CloseConns(n int) int { return g.endConns(n, FullClose) }

// ResetConns ends the n oldest connections with RST on both legs and returns how many it ended. It panics with a
// [*FaultError] for unix sockets, which have no RST.
func (g *Gate) ResetConns(n int) int {
	g.mustReset()
	return g.endConns(n, RST)
}

func (g *Gate) endConns(n int, how End) (ended int) {
	for _, c := range g.Conns() {
		if n != All && ended >= n {
			break
		}
		if c.end(how, "gate", nil) {
			ended++
		}
	}
	return ended
}

// accept serves connections until the gate closes.
func (g *Gate) accept(f *front) {
	for {
		client, err := f.accept()
		if err != nil {
			return
		}
		if g.ListenFunc != nil {
			if err := usable(client); err != nil {
				g.acceptFailed(fmt.Errorf("ListenFunc: %w", err))
				continue
			}
		}
		g.admit(client)
	}
}

// admit begins a connection. The server is dialled off the accept loop, so that a dial that hangs delays nobody.
func (g *Gate) admit(client net.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Conn{gate: g, opened: time.Now(), giveUp: cancel}
	c.client.open(c, client)
	if !g.resets() {
		c.client.own = place(g.Addr()) // the kernel knows a unix socket that was renamed by the name it had before
	}
	if !g.enroll(c) {
		cancel()
		c.client.close(g.resets())
		return
	}
	g.conns.Go(func() { c.serve(ctx) })
}

// enroll makes a connection one of the gate's, if that runs.
func (g *Gate) enroll(c *Conn) bool {
	g.mu.Lock()
	if g.state != running {
		g.mu.Unlock()
		return false
	}
	g.seq++
	c.ordinal, c.seed = g.seq, g.seed
	c.nth = g.stats.accepted.Add(1)
	g.live[c] = struct{}{}
	g.mu.Unlock()
	c.ToServer.bind(g, ToServer, 1, c.ordinal)
	c.ToClient.bind(g, ToClient, 1, c.ordinal)
	return true
}

// usable says why a gate cannot use a connection that is not its own, and then closes it.
func usable(conn net.Conn) error {
	if isNil(conn) {
		return errors.New("got no connection and no error")
	}
	err := errors.Join(conn.SetReadDeadline(time.Time{}), conn.SetWriteDeadline(time.Time{}))
	if _, ok := conn.(tlsConn); ok {
		err = errors.New("want a connection that survives an expired write deadline")
	}
	if err != nil {
		conn.Close()
		return fmt.Errorf("got a %T: %w", conn, err)
	}
	return nil
}

// isNil reports whether there is nothing behind an interface.
func isNil(x any) bool {
	v := reflect.ValueOf(x)
	return x == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

// A tlsConn is a connection whose every write fails after one that a deadline interrupted, as a *tls.Conn's does.
type tlsConn interface {
	net.Conn
	HandshakeContext(context.Context) error
}

// established notes that the server was reached.
func (g *Gate) established(c *Conn) {
	g.stats.opened.Add(1)
	if g.events != nil {
		g.events.add(Event{Type: EventOpened, Conn: c.ordinal, Addr: text(c.client.peer), Took: time.Since(c.opened)})
	}
	g.mu.Lock()
	g.tellChanged()
	g.mu.Unlock()
}

func (g *Gate) dialFailed(c *Conn, err error) {
	g.stats.dialErrors.Add(1)
	g.events.add(Event{Type: EventDialError, Conn: c.ordinal, Took: time.Since(c.opened), Err: err.Error()})
}

func (g *Gate) acceptFailed(err error) {
	g.stats.acceptErrors.Add(1)
	g.events.add(Event{Type: EventAcceptError, Err: err.Error()})
}

// leaves takes a connection out of Conns.
func (g *Gate) leaves(c *Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.live, c)
	g.ending[c] = struct{}{}
	g.tellChanged()
}

func (g *Gate) tellChanged() {
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// gone notes that nothing is left of a connection.
func (g *Gate) gone(c *Conn) {
	c.mu.Lock()
	c.state, c.age = Closed, time.Since(c.opened)
	i := c.tally()
	c.mu.Unlock()
	g.mu.Lock()
	delete(g.ending, c)
	g.stats.gone(c, i.By)
	g.mu.Unlock()
	if g.events == nil {
		return
	}
	g.events.add(Event{
		Type: EventClosed, Conn: c.ordinal, Addr: text(c.client.peer), Age: i.Age, By: i.By, How: i.How, ToServer: i.ToServer, ToClient: i.ToClient, Bytes: i.Dropped, Err: i.Err,
		DatagramsToServer: i.DatagramsToServer, DatagramsToClient: i.DatagramsToClient,
	})
}
