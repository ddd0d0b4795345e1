package toxicli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"time"
)

// patience is how long a server may take to answer.
const patience = 30 * time.Second

// A server is one that speaks Toxiproxy's HTTP API.
type server struct {
	url     string
	version string // of this program
}

// A proxy is a proxy as the server tells of it.
type proxy struct {
	Name     string  `json:"name"`
	Listen   string  `json:"listen"`
	Upstream string  `json:"upstream"`
	Enabled  bool    `json:"enabled"`
	Toxics   []toxic `json:"toxics,omitempty"`
}

// A toxic is a toxic as the server tells of it.
type toxic struct {
	Name       string     `json:"name,omitempty"`
	Type       string     `json:"type,omitempty"`
	Stream     string     `json:"stream,omitempty"`
	Toxicity   float32    `json:"toxicity"`
	Attributes attributes `json:"attributes,omitempty"`
}

// ask sends a request and reads the answer.
func (s server) ask(ctx context.Context, method string, path []string, body, answer any) error {
	at, err := url.JoinPath(s.url, escaped(path)...)
	if err != nil {
		return fmt.Errorf("fail to request: %w", err)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("fail to request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", fmt.Sprintf("toxiproxy-cli/%s (%s/%s)", s.version, runtime.GOOS, runtime.GOARCH))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("fail to request: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("fail to request: %w", err)
	}
	if response.StatusCode >= 300 {
		var refused struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(text, &refused) != nil || refused.Error == "" {
			refused.Error = string(bytes.TrimSpace(text))
		}
		return fmt.Errorf("HTTP %d: %s", response.StatusCode, refused.Error)
	}
	if answer == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// escaped returns the segments of a path as they are written.
func escaped(path []string) []string {
	segments := make([]string, len(path))
	for i, segment := range path {
		segments[i] = url.PathEscape(segment)
	}
	return segments
}
