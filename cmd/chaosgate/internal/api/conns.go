package api

import (
	"context"
	"net/http"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// An Ending is how connections are ended.
type Ending struct {
	How string `query:"how" enum:"fin,rst" default:"fin" doc:"fin closes, rst resets"`
}

func (e Ending) end() chaos.End {
	if e.How == "rst" {
		return chaos.RST
	}
	return chaos.FIN
}

func (a *api) connRoutes() {
	const all, one = "/v1/gates/{gate}/conns", "/v1/gates/{gate}/conns/{conn}"
	route(a, http.MethodGet, all, "list-conns", "List a gate's connections, the oldest first, once there are so many",
		func(ctx context.Context, in *struct {
			GatePath
			Waiting
			Count int `query:"count" minimum:"0" doc:"how many connections are to be open through to the server"`
		},
		) (*answer[[]status.Conn], error) {
			if in.Count == 0 {
				return answered(a.hub.Conns(in.Gate))
			}
			ctx, cancel, err := in.within(ctx)
			if err != nil {
				return nil, err
			}
			defer cancel()
			return answered(a.hub.WaitConns(ctx, in.Gate, in.Count))
		})
	route(a, http.MethodDelete, all, "close-conns", "End a gate's oldest connections, so many or all",
		func(ctx context.Context, in *struct {
			GatePath
			Ending
			Count int `query:"count" minimum:"1" doc:"how many; all if it is not said"`
		},
		) (*answer[status.Ended], error) {
			count := in.Count
			if count == 0 {
				count = chaos.All
			}
			n, err := a.hub.CloseConns(by(ctx), in.Gate, count, in.end())
			return answered(status.Ended{Ended: n}, err)
		})
	route(a, http.MethodGet, one, "get-conn", "Tell about a connection", func(_ context.Context, in *ConnPath) (*answer[status.Conn], error) {
		return answered(a.hub.Conn(in.Gate, in.Conn))
	})
	route(a, http.MethodDelete, one, "close-conn", "End a connection",
		func(ctx context.Context, in *struct {
			ConnPath
			Ending
		},
		) (*answer[status.Ended], error) {
			if err := a.hub.CloseConn(by(ctx), in.Gate, in.Conn, in.end()); err != nil {
				return nil, err
			}
			return answered(status.Ended{Ended: 1}, nil)
		})
}
