package hub

import (
	"context"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// Conns returns a gate's live connections, the oldest first.
func (h *Hub) Conns(name string) ([]status.Conn, error) {
	g, err := h.find(name)
	if err != nil {
		return nil, err
	}
	return g.conns(), nil
}

func (g *gate) conns() []status.Conn {
	list := []status.Conn{}
	for _, c := range g.gate.Conns() {
		list = append(list, g.connStatus(c))
	}
	return list
}

func (g *gate) connStatus(c *chaos.Conn) status.Conn {
	i := c.Info()
	s := status.Conn{
		N: i.Ordinal, State: i.State, Client: i.Client, Front: i.Front, Back: i.Back, Server: i.Server, Opened: i.Opened, Age: i.Age.Seconds(),
		BytesToServer: i.ToServer, BytesToClient: i.ToClient, DatagramsToServer: i.DatagramsToServer, DatagramsToClient: i.DatagramsToClient,
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s.ToServer, s.ToClient = g.imposed(&c.ToServer), g.imposed(&c.ToClient)
	return s
}

// Conn returns a live connection.
func (h *Hub) Conn(name string, n uint64) (status.Conn, error) {
	g, err := h.find(name)
	if err != nil {
		return status.Conn{}, err
	}
	c, err := g.conn(n)
	if err != nil {
		return status.Conn{}, err
	}
	return g.connStatus(c), nil
}

// WaitConns waits until at least n connections are open through to the server, and returns those that there are.
func (h *Hub) WaitConns(ctx context.Context, name string, n int) ([]status.Conn, error) {
	g, err := h.find(name)
	if err != nil {
		return nil, err
	}
	if err := g.wait(ctx, func(ctx context.Context) error { return g.gate.WaitConns(ctx, n) }); err != nil {
		open := 0
		for _, c := range g.gate.Conns() {
			if s := c.Info().State; s == chaos.Established || s == chaos.HalfClosed {
				open++
			}
		}
		return nil, g.waited(ctx, "gate %s has %d open connections, not %d", name, open, n)
	}
	return g.conns(), nil
}

// wait waits for something of the gate's, no longer than there is the gate.
func (g *gate) wait(ctx context.Context, wait func(context.Context) error) error {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // ends with wait
		select {
		case <-g.gone:
			stop()
		case <-waiting.Done():
		}
	}()
	return wait(waiting)
}

// waited returns why something of the gate's has not come.
func (g *gate) waited(ctx context.Context, format string, args ...any) *Error {
	if ctx.Err() == nil {
		return errorf(Gone, "gate", "gate %s was removed or replaced meanwhile", g.name)
	}
	return waited(ctx, format, args...)
}

// CloseConns ends the oldest connections of a gate, count or [chaos.All], by [chaos.FIN] or [chaos.RST], and returns how many it ended.
func (h *Hub) CloseConns(by, name string, count int, how chaos.End) (int, error) {
	g, err := h.find(name)
	if err != nil {
		return 0, err
	}
	if err := g.canEnd(how); err != nil {
		return 0, err
	}
	conns := g.gate.Conns()
	g.closes(by, conns[:min(uint(count), uint(len(conns)))]) // All is more than there can be
	if how == chaos.RST {
		return g.gate.ResetConns(count), nil
	}
	return g.gate.CloseConns(count), nil
}

// CloseConn ends a connection, by [chaos.FIN] or [chaos.RST].
func (h *Hub) CloseConn(by, name string, n uint64, how chaos.End) error {
	g, err := h.find(name)
	if err != nil {
		return err
	}
	if err := g.canEnd(how); err != nil {
		return err
	}
	c, err := g.conn(n)
	if err != nil {
		return err
	}
	g.closes(by, []*chaos.Conn{c})
	if how == chaos.RST {
		c.Reset()
	} else {
		c.Close()
	}
	return nil
}

// closes notes who has connections end.
func (g *gate) closes(by string, conns []*chaos.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		if c.Info().State != chaos.Closed {
			g.closers[c.Ordinal()] = by
		}
	}
}

// canEnd says why connections of the gate's cannot be ended in a way, if so.
func (g *gate) canEnd(how chaos.End) error {
	switch {
	case how != chaos.FIN && how != chaos.RST:
		return errorf(Invalid, "how", "how: got %v, want fin or rst", how)
	case how == chaos.RST && chaos.Check(g.asked.Network, chaos.Close{Reset: true}) != nil:
		return errorf(Invalid, "how", "how: got rst, want fin, because only TCP has a RST and gate %s is of %s", g.name, g.asked.Network)
	}
	return nil
}
