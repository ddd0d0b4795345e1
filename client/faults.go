package client

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A Where is a flow: of a gate, or of one of its connections.
type Where struct {
	Gate      string
	Conn      uint64 // the connection's number; 0 for all
	Direction chaos.Direction
}

// path returns where the flow is, or something of it.
func (w Where) path(rest ...string) []string {
	rest = append([]string{w.Direction.String()}, rest...)
	if w.Conn != 0 {
		rest = append([]string{"conns", strconv.FormatUint(w.Conn, 10)}, rest...)
	}
	return at(w.Gate, rest...)
}

// String returns the flow for people, such as "to_client of redis" or "to_client of conn 3 of redis".
func (w Where) String() string {
	if w.Conn != 0 {
		return fmt.Sprintf("%v of conn %d of %s", w.Direction, w.Conn, w.Gate)
	}
	return fmt.Sprintf("%v of %s", w.Direction, w.Gate)
}

// Faults returns what is imposed on a flow, in order.
func (c *Client) Faults(ctx context.Context, w Where) (list []status.Fault, err error) {
	return list, c.ask(ctx, request{method: http.MethodGet, path: w.path()}, &list)
}

// Set imposes faults on a flow in place of what was imposed. Those that are equal to one that was stay what they are, with their hits. It
// returns the faults, with the offsets from which they hold.
func (c *Client) Set(ctx context.Context, w Where, es spec.Entries) (list []status.Fault, err error) {
	return list, c.ask(ctx, request{method: http.MethodPut, path: w.path(), body: es}, &list)
}

// Add imposes more faults on a flow, behind those that are. It returns them, with the offsets from which they hold.
func (c *Client) Add(ctx context.Context, w Where, es spec.Entries) (list []status.Fault, err error) {
	return list, c.ask(ctx, request{method: http.MethodPost, path: w.path(), body: es}, &list)
}

// Fault returns a fault, with the offsets from which it holds.
func (c *Client) Fault(ctx context.Context, w Where, id string) (fault status.Fault, err error) {
	return fault, c.ask(ctx, request{method: http.MethodGet, path: w.path(id)}, &fault)
}

// A Change is what is to be different of a fault. What is nil stays.
type Change struct {
	Fault chaos.Fault
	For   *time.Duration // from now on; 0 is for good
	Lease *string        // "" is none
}

// Change changes a fault in place: it keeps its id and its hits and, where the kind stays, what it remembers of connections.
func (c *Client) Change(ctx context.Context, w Where, id string, change Change) (fault status.Fault, err error) {
	body := struct {
		Fault string         `json:"fault,omitempty"` // as a text it is the whole fault; an object would be merged into the one that is
		For   *spec.Duration `json:"for,omitempty"`
		Lease *string        `json:"lease,omitempty"`
	}{For: (*spec.Duration)(change.For), Lease: change.Lease}
	if change.Fault != nil {
		text, err := spec.Fault{Fault: change.Fault}.MarshalText()
		if err != nil {
			return fault, err
		}
		body.Fault = string(text)
	}
	return fault, c.ask(ctx, request{method: http.MethodPatch, path: w.path(id), body: body}, &fault)
}

// Lift lifts a fault, and returns it as it was last.
func (c *Client) Lift(ctx context.Context, w Where, id string) (fault status.Fault, err error) {
	return fault, c.ask(ctx, request{method: http.MethodDelete, path: w.path(id)}, &fault)
}

// WaitHits waits until a fault has fired n times, and returns it.
func (c *Client) WaitHits(ctx context.Context, w Where, id string, n int64) (fault status.Fault, err error) {
	return fault, c.await(ctx, request{path: w.path(id)}, "hits", n, &fault)
}

// Find returns the flow on which a gate's fault is imposed: ids are unique at a gate, over its flows and those of its connections.
func (c *Client) Find(ctx context.Context, gate, id string) (Where, error) {
	all, err := c.AllFaults(ctx, gate)
	if err != nil {
		return Where{}, err
	}
	var known []string
	for _, f := range all {
		if f.ID == id {
			return Where{gate, f.Conn, f.Direction}, nil
		}
		known = append(known, f.ID)
	}
	const most = 10 // that are named
	detail := fmt.Sprintf("unknown fault %q at gate %s", id, gate)
	switch near := spec.Nearest(id, known); {
	case near != "":
		detail += ", did you mean " + near + "?"
	case len(known) == 0:
		detail += ", where nothing is imposed"
	case len(known) <= most:
		detail += ", want " + strings.Join(known, " or ")
	}
	return Where{}, &Error{Status: http.StatusNotFound, Code: "unknown", Path: "fault", Detail: detail, Boot: c.Boot()}
}

// AllFaults returns all that is imposed at a gate: on its flows, in order, and then on those of its connections.
func (c *Client) AllFaults(ctx context.Context, gate string) ([]status.Fault, error) {
	g, err := c.Gate(ctx, gate)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(g.ToServer, g.ToClient)
	if g.Stats.Live == 0 {
		return all, nil
	}
	conns, err := c.Conns(ctx, gate)
	if err != nil {
		return nil, err
	}
	for _, conn := range conns {
		all = slices.Concat(all, conn.ToServer, conn.ToClient)
	}
	return all, nil
}
