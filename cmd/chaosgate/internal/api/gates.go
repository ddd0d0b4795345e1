package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A GatePath is the path of a gate.
type GatePath struct {
	Gate string `path:"gate" doc:"the gate's name"`
}

// A createdGate is a gate with where it is from now on.
type createdGate struct {
	Location string `header:"Location"`
	Body     status.Gate
}

func (a *api) gateRoutes() {
	route(a, http.MethodGet, "/v1/gates", "list-gates", "List all gates", func(context.Context, *struct{}) (*answer[[]status.Gate], error) {
		return answered(a.hub.Gates(), nil)
	})
	route(a, http.MethodPut, "/v1/gates", "apply-gates", "Make the gates what they are wanted to be: all of them, or nothing is changed",
		func(ctx context.Context, _ *struct{}) (*answer[status.Diff], error) {
			want, err := decode[gates](ctx)
			if err != nil {
				return nil, err
			}
			return answered(a.hub.Apply(by(ctx), want, hub.Everything))
		}, body[gates](a, map[string]any{"gates": []any{exampleGate}}))
	route(a, http.MethodPost, "/v1/gates", "create-gate", "Create a gate: what it imposes holds before it listens",
		func(ctx context.Context, _ *struct{}) (*createdGate, error) {
			want, err := decode[spec.Gate](ctx)
			if err != nil {
				return nil, err
			}
			g, err := a.hub.Create(by(ctx), want)
			if err != nil {
				return nil, err
			}
			return &createdGate{"/v1/gates/" + url.PathEscape(g.Name), g}, nil
		}, created, body[spec.Gate](a, exampleGate))
	const one = "/v1/gates/{gate}"
	route(a, http.MethodGet, one, "get-gate", "Tell about a gate", func(_ context.Context, in *GatePath) (*answer[status.Gate], error) {
		return answered(a.hub.Gate(in.Gate))
	})
	route(a, http.MethodPatch, one, "change-gate", "Change some of a gate; where its addresses or bounds become others it is made anew",
		func(ctx context.Context, in *GatePath) (*answer[status.Gate], error) {
			return answered(a.hub.Update(by(ctx), in.Gate, func(now spec.Gate) (spec.Gate, error) { return mergeGate(now, requestOf(ctx).body) }))
		}, body[spec.Gate](a, map[string]any{"door": "hold"}))
	route(a, http.MethodDelete, one, "remove-gate", "Remove a gate, with its connections", func(ctx context.Context, in *GatePath) (*struct{}, error) {
		return nil, a.hub.Remove(by(ctx), in.Gate)
	})
	route(a, http.MethodPost, one+"/reseed", "reseed-gate", "Set a gate's seed, and count its connections anew",
		func(ctx context.Context, in *GatePath) (*answer[status.Gate], error) {
			want, err := decode[seeding](ctx)
			if err != nil {
				return nil, err
			}
			return answered(a.hub.Reseed(by(ctx), in.Gate, uint64(want.Seed)))
		}, body[seeding](a, map[string]any{"seed": 42}))
	route(a, http.MethodPost, one+"/heal", "heal-gate", "Lift all of a gate's faults, and open its door", func(ctx context.Context, in *GatePath) (*answer[status.Healed], error) {
		return answered(a.hub.Heal(by(ctx), in.Gate))
	})
	route(a, http.MethodPost, "/v1/heal", "heal", "Lift all faults, and open all doors", func(ctx context.Context, _ *struct{}) (*answer[status.Healed], error) {
		return answered(a.hub.Heal(by(ctx), ""))
	})
	route(a, http.MethodGet, one+"/door", "wait-door", "Tell about a gate, once its door has met so many connections",
		func(ctx context.Context, in *struct {
			GatePath
			Waiting
			Hits int64 `query:"hits" minimum:"0" doc:"how many connections the door is to have met"`
		},
		) (*answer[status.Gate], error) {
			if in.Hits == 0 {
				return answered(a.hub.Gate(in.Gate))
			}
			ctx, cancel, err := in.within(ctx)
			if err != nil {
				return nil, err
			}
			defer cancel()
			return answered(a.hub.WaitDoor(ctx, in.Gate, in.Hits))
		})
	route(a, http.MethodPut, one+"/door", "set-door", "Set how a gate receives new connections",
		func(ctx context.Context, in *GatePath) (*answer[status.Gate], error) {
			want, err := decode[doorSetting](ctx)
			if err != nil {
				return nil, err
			}
			if want.Door == nil {
				return nil, invalid("door", "door: got none, want open, hold, refuse or blackhole")
			}
			return answered(a.hub.SetDoor(by(ctx), in.Gate, hub.DoorSetting{Door: *want.Door, For: want.For.Duration(), Lease: want.Lease}))
		}, body[doorSetting](a, map[string]any{"door": "hold", "for": "10s"}))
}

// mergeGate returns a gate with what a body has in place of what it had.
func mergeGate(now spec.Gate, data []byte) (spec.Gate, error) {
	object, err := decodeBytes[map[string]any](data)
	if err != nil {
		return now, err
	}
	if _, ok := object["name"]; ok {
		return now, invalid("name", "name: a gate keeps its name")
	}
	return now.Merge(data)
}

// A seeding is the body of POST …/reseed.
type seeding struct {
	Seed spec.Seed `json:"seed" doc:"a number that is not 0"`
}

// A doorSetting is the body of PUT …/door.
type doorSetting struct {
	Door  *chaos.Door   `json:"door" required:"true" doc:"open, hold, refuse or blackhole"`
	For   spec.Duration `json:"for,omitzero" doc:"after which the door opens; if it is not said, nothing opens it"`
	Lease string        `json:"lease,omitempty" doc:"the lease with which the door opens"`
}

var exampleGate = map[string]any{
	"name": "redis", "listen": "127.0.0.1:26379", "server": "127.0.0.1:6379", "to_client": []any{"delay by=200ms"},
}
