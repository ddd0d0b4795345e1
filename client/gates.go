package client

import (
	"context"
	"net/http"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// gates is where the gates are.
var gates = []string{"v1", "gates"}

// at returns where something of a gate's is.
func at(gate string, rest ...string) []string {
	return append(append(gates[:2:2], gate), rest...)
}

// Gates returns all gates, sorted by name.
func (c *Client) Gates(ctx context.Context) (list []status.Gate, err error) {
	return list, c.ask(ctx, request{method: http.MethodGet, path: gates}, &list)
}

// Gate returns a gate.
func (c *Client) Gate(ctx context.Context, name string) (gate status.Gate, err error) {
	return gate, c.ask(ctx, request{method: http.MethodGet, path: at(name)}, &gate)
}

// Create creates a gate, with its faults: they hold before it listens. Without a name it is given one.
func (c *Client) Create(ctx context.Context, g spec.Gate) (gate status.Gate, err error) {
	return gate, c.ask(ctx, request{method: http.MethodPost, path: gates, body: g}, &gate)
}

// Apply makes the daemon's gates what they are wanted to be: it creates, changes, replaces and removes. What is as it is wanted is left
// alone. If any of it cannot be, nothing is changed.
func (c *Client) Apply(ctx context.Context, want []spec.Gate) (diff status.Diff, err error) {
	if want == nil {
		want = []spec.Gate{} // none, rather than null
	}
	return diff, c.ask(ctx, request{method: http.MethodPut, path: gates, body: want}, &diff)
}

// A Patch is what is to be different of a gate. What is nil stays.
type Patch struct {
	Network  *string        `json:"network,omitempty"`
	Listen   *string        `json:"listen,omitempty"`
	Server   *string        `json:"server,omitempty"`
	Seed     *spec.Seed     `json:"seed,omitempty"`
	Door     *chaos.Door    `json:"door,omitempty"`
	Stopped  *bool          `json:"stopped,omitempty"`
	Window   *spec.Size     `json:"window,omitempty"`
	Memory   *spec.Size     `json:"memory,omitempty"`
	Sessions *int           `json:"sessions,omitempty"`
	Expire   *spec.Duration `json:"expire,omitempty"`
	Lease    *string        `json:"lease,omitempty"` // "" is none
	ToServer *spec.Entries  `json:"to_server,omitempty"`
	ToClient *spec.Entries  `json:"to_client,omitempty"`
}

// Update changes a gate. Where its addresses or its bounds become others it is made anew, and its connections end.
func (c *Client) Update(ctx context.Context, name string, p Patch) (gate status.Gate, err error) {
	return gate, c.ask(ctx, request{method: http.MethodPatch, path: at(name), body: p}, &gate)
}

// Remove closes a gate, and its connections with it.
func (c *Client) Remove(ctx context.Context, name string) error {
	return c.ask(ctx, request{method: http.MethodDelete, path: at(name)}, nil)
}

// A DoorSetting is how a door is to be, and for how long.
type DoorSetting struct {
	Door  chaos.Door
	For   time.Duration // after which it opens; never if zero
	Lease string        // with which it opens; none if empty
}

// SetDoor sets how a gate receives new connections.
func (c *Client) SetDoor(ctx context.Context, name string, d DoorSetting) (gate status.Gate, err error) {
	body := struct {
		Door  chaos.Door    `json:"door"`
		For   spec.Duration `json:"for,omitzero"`
		Lease string        `json:"lease,omitempty"`
	}{d.Door, spec.Duration(d.For), d.Lease}
	return gate, c.ask(ctx, request{method: http.MethodPut, path: at(name, "door"), body: body}, &gate)
}

// WaitDoor waits until a gate's door has met n connections.
func (c *Client) WaitDoor(ctx context.Context, name string, n int64) (gate status.Gate, err error) {
	return gate, c.await(ctx, request{path: at(name, "door")}, "hits", n, &gate)
}

// Reseed sets a gate's seed and begins to count its connections anew, so that what is random is drawn again as it was.
func (c *Client) Reseed(ctx context.Context, name string, seed uint64) (gate status.Gate, err error) {
	body := map[string]string{"seed": spec.Seed(seed).String()}
	return gate, c.ask(ctx, request{method: http.MethodPost, path: at(name, "reseed"), body: body}, &gate)
}

// Heal lifts every fault of a gate, those of single connections too, and opens its door; of all gates if name is "". It tells what that was.
func (c *Client) Heal(ctx context.Context, name string) (healed status.Healed, err error) {
	path := []string{"v1", "heal"}
	if name != "" {
		path = at(name, "heal")
	}
	return healed, c.ask(ctx, request{method: http.MethodPost, path: path}, &healed)
}

// Kinds returns the kinds of faults that the daemon knows, with their parameters.
func (c *Client) Kinds(ctx context.Context) (kinds []spec.Description, err error) {
	return kinds, c.ask(ctx, request{method: http.MethodGet, path: []string{"v1", "faults"}}, &kinds)
}

// Version tells what the daemon is.
func (c *Client) Version(ctx context.Context) (v status.Version, err error) {
	return v, c.ask(ctx, request{method: http.MethodGet, path: []string{"v1", "version"}}, &v)
}

// Console returns the URL of the web console, with a link that lets a browser in once where the daemon has a token.
func (c *Client) Console(ctx context.Context) (url string, till time.Time, err error) {
	var console status.Console
	err = c.ask(ctx, request{method: http.MethodPost, path: []string{"v1", "console"}}, &console)
	return c.URL() + console.Path, console.Till, err
}

// Ready asks whether the daemon is there and serves. It needs no token.
func (c *Client) Ready(ctx context.Context) error {
	return c.ask(ctx, request{method: http.MethodGet, path: []string{"readyz"}}, nil)
}
