package api

import (
	"context"
	"net/http"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

func (p GatePath) where() hub.Where { return hub.Where{Gate: p.Gate} }

// A ConnPath is the path of a connection.
type ConnPath struct {
	GatePath
	Conn uint64 `path:"conn" minimum:"1" doc:"the connection's number"`
}

func (p ConnPath) where() hub.Where { return hub.Where{Gate: p.Gate, Conn: p.Conn} }

func (a *api) flowRoutes() {
	for _, dir := range []chaos.Direction{chaos.ToServer, chaos.ToClient} {
		flowRoutesAt(a, "/v1/gates/{gate}/"+dir.String(), "", "of a gate", dir, func(p *GatePath) hub.Where { return p.where() },
			func(p *struct {
				GatePath
				FaultID
			},
			) (hub.Where, string) {
				return p.where(), p.ID
			}, func(p *struct {
				GatePath
				FaultID
				HitsWait
			},
			) (hub.Where, string, HitsWait) {
				return p.where(), p.ID, p.HitsWait
			})
		flowRoutesAt(a, "/v1/gates/{gate}/conns/{conn}/"+dir.String(), "conn-", "of one connection", dir, func(p *ConnPath) hub.Where { return p.where() },
			func(p *struct {
				ConnPath
				FaultID
			},
			) (hub.Where, string) {
				return p.where(), p.ID
			}, func(p *struct {
				ConnPath
				FaultID
				HitsWait
			},
			) (hub.Where, string, HitsWait) {
				return p.where(), p.ID, p.HitsWait
			})
	}
}

// A FaultID is the part of a path that names a fault.
type FaultID struct {
	ID string `path:"id" doc:"the fault's id"`
}

// A HitsWait is for what an answer about a fault waits.
type HitsWait struct {
	Waiting
	Hits int64 `query:"hits" minimum:"0" doc:"how often the fault is to have fired"`
}

// flowRoutesAt registers the routes of one direction of a gate, or of a connection. The functions tell what a path means.
func flowRoutesAt[Flow, Fault, Wait any](
	a *api, path, id, of string, dir chaos.Direction,
	flow func(*Flow) hub.Where, fault func(*Fault) (hub.Where, string), wait func(*Wait) (hub.Where, string, HitsWait),
) {
	to := func(w hub.Where) hub.Where {
		w.Direction = dir
		return w
	}
	way := map[chaos.Direction]string{chaos.ToServer: "to-server", chaos.ToClient: "to-client"}[dir]
	of = "the traffic " + map[chaos.Direction]string{chaos.ToServer: "to the server ", chaos.ToClient: "to the client "}[dir] + of
	route(a, http.MethodGet, path, id+"list-"+way, "List what is imposed on "+of, func(_ context.Context, in *Flow) (*answer[[]status.Fault], error) {
		return answered(a.hub.Faults(to(flow(in))))
	})
	route(a, http.MethodPut, path, id+"set-"+way, "Impose faults on "+of+" in place of what is imposed",
		func(ctx context.Context, in *Flow) (*answer[[]status.Fault], error) {
			es, err := decode[spec.Entries](ctx)
			if err != nil {
				return nil, err
			}
			return answered(a.hub.Set(by(ctx), to(flow(in)), es))
		}, body[spec.Entries](a, []any{"delay by=200ms"}))
	route(a, http.MethodPost, path, id+"add-"+way, "Impose faults on "+of+", behind what is imposed",
		func(ctx context.Context, in *Flow) (*answer[[]status.Fault], error) {
			es, err := decode[entries](ctx)
			if err != nil {
				return nil, err
			}
			return answered(a.hub.Add(by(ctx), to(flow(in)), spec.Entries(es)))
		}, created, body[entries](a, map[string]any{"fault": "delay by=200ms", "id": "slow", "for": "10s"}))
	route(a, http.MethodGet, path+"/{id}", id+"get-"+way, "Tell about a fault of "+of+", once it has fired so often",
		func(ctx context.Context, in *Wait) (*answer[status.Fault], error) {
			at, id, hits := wait(in)
			if hits.Hits == 0 {
				return answered(a.hub.Fault(to(at), id))
			}
			ctx, cancel, err := hits.within(ctx)
			if err != nil {
				return nil, err
			}
			defer cancel()
			return answered(a.hub.WaitHits(ctx, to(at), id, hits.Hits))
		})
	route(a, http.MethodPatch, path+"/{id}", id+"change-"+way, "Change a fault of "+of+" in place",
		func(ctx context.Context, in *Fault) (*answer[status.Fault], error) {
			at, id := fault(in)
			return answered(a.hub.Change(by(ctx), to(at), id, func(now chaos.Fault) (hub.Change, error) {
				if _, err := decode[any](ctx); err != nil {
					return hub.Change{}, err
				}
				return changeOf(requestOf(ctx).body, now)
			}))
		}, body[spec.Entry](a, map[string]any{"delay": map[string]any{"by": "300ms"}}))
	route(a, http.MethodDelete, path+"/{id}", id+"lift-"+way, "Lift a fault of "+of+", and tell about it as it was last",
		func(ctx context.Context, in *Fault) (*answer[status.Fault], error) {
			at, id := fault(in)
			return answered(a.hub.Lift(by(ctx), to(at), id))
		})
}
