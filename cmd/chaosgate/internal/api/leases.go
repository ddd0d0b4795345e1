package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A LeasePath is the path of a lease.
type LeasePath struct {
	Lease string `path:"lease" doc:"the lease's name"`
}

// A leasing is the body of PUT /v1/leases/{lease}.
type leasing struct {
	TTL spec.Duration `json:"ttl" doc:"how long the lease lasts without being renewed, 100ms to 24h"`
}

func (a *api) leaseRoutes() {
	route(a, http.MethodGet, "/v1/leases", "list-leases", "List all leases", func(context.Context, *struct{}) (*answer[[]status.Lease], error) {
		return answered(a.hub.Leases(), nil)
	})
	const one = "/v1/leases/{lease}"
	route(a, http.MethodGet, one, "get-lease", "Tell about a lease", func(_ context.Context, in *LeasePath) (*answer[status.Lease], error) {
		all := a.hub.Leases()
		at := slices.IndexFunc(all, func(l status.Lease) bool { return l.Name == in.Lease })
		if at < 0 {
			return nil, a.hub.UnknownLease(in.Lease)
		}
		return answered(all[at], nil)
	})
	route(a, http.MethodPut, one, "renew-lease", "Make a lease, or renew it",
		func(ctx context.Context, in *LeasePath) (*answer[status.Lease], error) {
			want, err := decode[leasing](ctx)
			if err != nil {
				return nil, err
			}
			return answered(a.hub.Lease(by(ctx), in.Lease, want.TTL.Duration()))
		}, body[leasing](a, map[string]any{"ttl": "10s"}))
	route(a, http.MethodDelete, one, "end-lease", "End a lease: what hangs on it is lifted, opened or removed",
		func(ctx context.Context, in *LeasePath) (*answer[status.Lease], error) {
			return answered(a.hub.EndLease(by(ctx), in.Lease))
		})
}

func (a *api) otherRoutes() {
	route(a, http.MethodGet, "/v1/faults", "list-kinds", "List the kinds of faults, with their parameters", func(context.Context, *struct{}) (*answer[[]spec.Description], error) {
		return answered(spec.Describe(), nil)
	})
	route(a, http.MethodGet, "/v1/version", "get-version", "Tell what the daemon is", func(context.Context, *struct{}) (*answer[status.Version], error) {
		return answered(a.hub.Version(), nil)
	})
}
