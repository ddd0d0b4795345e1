package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// Conns returns a gate's live connections, the oldest first.
func (c *Client) Conns(ctx context.Context, gate string) (list []status.Conn, err error) {
	return list, c.ask(ctx, request{method: http.MethodGet, path: at(gate, "conns")}, &list)
}

// Conn returns a live connection.
func (c *Client) Conn(ctx context.Context, gate string, n uint64) (conn status.Conn, err error) {
	return conn, c.ask(ctx, request{method: http.MethodGet, path: at(gate, "conns", strconv.FormatUint(n, 10))}, &conn)
}

// WaitConns waits until at least n connections are open through to the server, and returns those that there are.
func (c *Client) WaitConns(ctx context.Context, gate string, n int) (list []status.Conn, err error) {
	return list, c.await(ctx, request{path: at(gate, "conns")}, "count", int64(n), &list)
}

// CloseConns ends the oldest connections of a gate, count or [chaos.All], by [chaos.FIN] or [chaos.RST], and returns how many it ended.
func (c *Client) CloseConns(ctx context.Context, gate string, count int, how chaos.End) (int, error) {
	query, err := ending(how)
	if err != nil {
		return 0, err
	}
	if count != chaos.All {
		query.Set("count", strconv.Itoa(count))
	}
	var ended status.Ended
	err = c.ask(ctx, request{method: http.MethodDelete, path: at(gate, "conns"), query: query}, &ended)
	return ended.Ended, err
}

// CloseConn ends a connection, by [chaos.FIN] or [chaos.RST].
func (c *Client) CloseConn(ctx context.Context, gate string, n uint64, how chaos.End) error {
	query, err := ending(how)
	if err != nil {
		return err
	}
	return c.ask(ctx, request{method: http.MethodDelete, path: at(gate, "conns", strconv.FormatUint(n, 10)), query: query}, nil)
}

// ending returns the query that says how connections are ended.
func ending(how chaos.End) (url.Values, error) {
	switch how {
	case chaos.FIN:
		return url.Values{"how": {"fin"}}, nil
	case chaos.RST:
		return url.Values{"how": {"rst"}}, nil
	default:
		return nil, &Error{Code: "invalid", Path: "how", Detail: fmt.Sprintf("how: got %v, want FIN or RST", how)}
	}
}
