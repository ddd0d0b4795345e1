package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

var haproxy = contender{
	name:  "haproxy",
	about: "HAProxy: `mode tcp`, `option splice-auto`, no log, one process with a thread for each core",
	find: func(ctx context.Context, _ site) (string, error) {
		return versionOf(ctx, `version (\S+)`, "haproxy", "-v")
	},
	start: func(ctx context.Context, s site) (*running, error) {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		file := filepath.Join(s.dir, "haproxy-"+filepath.Base(addr)+".cfg")
		if err := os.WriteFile(file, []byte(haproxyConfig(addr, s.server, openFiles())), 0o644); err != nil {
			return nil, err
		}
		return startProcess(ctx, addr, exec.CommandContext(ctx, "haproxy", "-db", "-q", "-f", file))
	},
}

// haproxyPipes is how many pipes HAProxy may have for splicing. It stays away from splicing when it has not enough of them,
// and no measurement moves bulk data over more than 16 connections.
const haproxyPipes = 256

// haproxyConfig sizes HAProxy by the limit of open files: it needs two for each connection and for each pipe.
func haproxyConfig(addr, server string, files int) string {
	return fmt.Sprintf(`global
    maxconn %d
    maxpipes %d
defaults
    mode tcp
    option splice-auto
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen bench
    bind %s
    server s %s
`, max(10, (files-2*haproxyPipes-200)/2), haproxyPipes, addr, server)
}
