package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/chaosgate/chaos"
)

// toxiproxyVersion is of the module that the server is built from, with the dependencies that its go.mod names.
const toxiproxyVersion = "v2.5.0"

var toxiproxy = contender{
	name:  "toxiproxy",
	about: "Toxiproxy's server, built from the module proxy; it logs nothing",
	can:   func(f fault) bool { return f.toxic != "" },
	find: func(ctx context.Context, s site) (string, error) {
		dir, err := filepath.Abs(s.dir)
		if err != nil {
			return "", err
		}
		bin := filepath.Join(dir, "toxiproxy")
		if exists(bin) {
			return toxiproxyVersion, nil
		}
		install := exec.CommandContext(ctx, "go", "install", "github.com/Shopify/toxiproxy/v2/cmd/server@"+toxiproxyVersion)
		install.Env = append(os.Environ(), "GOBIN="+dir, "GOWORK=off", "GOFLAGS=")
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building it: %w: %s", err, out)
		}
		return toxiproxyVersion, os.Rename(filepath.Join(dir, "server"), bin)
	},
	start: func(ctx context.Context, s site) (*running, error) { return startToxiproxy(ctx, s, "toxiproxy") },
}

// startToxiproxy starts a program of the site's folder as Toxiproxy's server, has it make a proxy, and impose the fault.
func startToxiproxy(ctx context.Context, s site, program string) (*running, error) {
	api, err := freeAddr()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(api)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.dir, program), "-host", host, "-port", port)
	cmd.Env = append(os.Environ(), "LOG_LEVEL=fatal")
	r, err := startProcess(ctx, api, cmd)
	if err != nil {
		return nil, err
	}
	r.api = "http://" + api
	if r.addr, err = toxiproxyProxy(ctx, r.api, s); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

// toxiproxyProxy has a server make a proxy, and impose the fault, and returns where clients connect.
func toxiproxyProxy(ctx context.Context, api string, s site) (string, error) {
	proxy, err := json.Marshal(map[string]string{"name": "bench", "listen": "127.0.0.1:0", "upstream": s.server})
	if err != nil {
		return "", err
	}
	answer, err := asked(ctx, http.MethodPost, api+"/proxies", proxy)
	if err != nil {
		return "", err
	}
	var made struct{ Listen string }
	if err := json.Unmarshal(answer, &made); err != nil {
		return "", err
	}
	if s.fault.text == "" {
		return made.Listen, nil
	}
	var toxic map[string]any
	if err := json.Unmarshal([]byte(s.fault.toxic), &toxic); err != nil {
		return "", fmt.Errorf("toxic: %w", err)
	}
	toxic["stream"] = "upstream"
	if s.fault.way == chaos.ToClient {
		toxic["stream"] = "downstream"
	}
	body, err := json.Marshal(toxic)
	if err != nil {
		return "", err
	}
	_, err = asked(ctx, http.MethodPost, api+"/proxies/bench/toxics", body)
	return made.Listen, err
}

// asked sends a request and returns the answer, which is to be that it was done.
func asked(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, url, response.Status, answer)
	}
	return answer, err
}
