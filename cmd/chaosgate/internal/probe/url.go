package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/chaosgate/chaos/matrix"
)

// URL returns a probe that gets a URL: its answer is the status and the body, and a status of 400 or more is an error. The
// variables of a command may stand in it. Each attempt has a connection of its own, and no timeout but the deadline.
func URL(text string) (matrix.Probe, error) {
	expanded := expand(text, func(name string) string { return variables("127.0.0.1:1")[name] })
	u, err := url.Parse(expanded)
	if err != nil {
		return nil, fmt.Errorf("probe URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("probe URL: got %q, want one such as http://127.0.0.1:8080/orders", text)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context, addr string) (matrix.Answer, error) {
		own := variables(addr)
		return get(ctx, client, expand(text, func(name string) string { return own[name] }))
	}, nil
}

func get(ctx context.Context, client *http.Client, address string) (matrix.Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return matrix.Answer{}, err
	}
	request.Header.Set("User-Agent", "chaosgate-matrix")
	response, err := client.Do(request)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // the URL is always the same
		}
		return matrix.Answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, mostOutput))
	answer := matrix.Answer{Output: response.Status + "\n" + string(body)}
	switch said := strings.TrimSpace(response.Status); {
	case err != nil:
		return answer, fmt.Errorf("%s, and its body: %w", said, err)
	case response.StatusCode == http.StatusGatewayTimeout, response.StatusCode == http.StatusRequestTimeout:
		return answer, fmt.Errorf("%s (%w)", said, matrix.ErrTimeout)
	case response.StatusCode >= http.StatusBadRequest:
		return answer, fmt.Errorf("%s: %s", said, mainLine(string(body)))
	}
	return answer, nil
}
