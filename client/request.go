package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// The headers of the daemon's own.
const (
	byHeader   = "Chaosgate-By"
	bootHeader = "Chaosgate-Boot"
)

// A request is something to ask of a daemon.
type request struct {
	method string
	path   []string   // its parts, of which some are names
	query  url.Values // may be nil
	body   any        // to be written as JSON; nil for none
	accept string
	boot   string // the run of the daemon that is meant, whatever the client means; "" for the client's
}

// ask asks the daemon something and reads its answer, as JSON, into what answer points to, unless that is nil.
func (c *Client) ask(ctx context.Context, r request, answer any) error {
	response, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if answer == nil {
		_, err = io.Copy(io.Discard, response.Body)
	} else {
		err = json.NewDecoder(response.Body).Decode(answer)
		io.Copy(io.Discard, response.Body) // so that the connection can be used again
	}
	if err != nil {
		return c.failed(ctx, fmt.Errorf("reading what the daemon answers: %w", err))
	}
	return nil
}

// send sends a request and returns the answer, whose body the caller closes. An answer that refuses is an error.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	sent, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(sent)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok { // it says the URL, which is said below
			err = u.Err
		}
		return nil, c.failed(ctx, err)
	}
	boot := answer.Header.Get(bootHeader)
	if boot != "" {
		c.boot.Store(&boot)
		if c.pin {
			c.meant.CompareAndSwap(nil, &boot)
		}
	}
	switch {
	case answer.StatusCode >= 300:
		defer answer.Body.Close()
		return nil, refusal(c.url, answer)
	case boot == "":
		defer answer.Body.Close()
		return nil, stranger(c.url, answer)
	}
	return answer, nil
}

// failed returns the error that a daemon has not answered: why the context has ended, if it has.
func (c *Client) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &unreachable{c.url, err}
}

// request returns a request as it is sent.
func (c *Client) request(ctx context.Context, r request) (*http.Request, error) {
	where := c.url
	for _, part := range r.path {
		if part == "" || part == "." || part == ".." { // they would make it another path
			return nil, &Error{Code: "invalid", Detail: fmt.Sprintf("got %q, want a name", part)}
		}
		where += "/" + url.PathEscape(part)
	}
	if len(r.query) > 0 {
		where += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	sent, err := http.NewRequestWithContext(ctx, r.method, where, body)
	if err != nil {
		return nil, err
	}
	boot := r.boot
	if meant := c.meant.Load(); meant != nil {
		boot = *meant
	}
	for header, value := range map[string]string{
		byHeader: c.by, "If-Match": quoted(boot), "Accept": r.accept, "User-Agent": "chaosgate-client",
	} {
		if value != "" {
			sent.Header.Set(header, value)
		}
	}
	if r.body != nil {
		sent.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		sent.Header.Set("Authorization", "Bearer "+c.token)
	}
	return sent, nil
}

// quoted returns the name of a run as an entity tag, of none "".
func quoted(boot string) string {
	if boot == "" {
		return ""
	}
	return `"` + boot + `"`
}
