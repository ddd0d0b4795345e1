package main

import (
	"context"
	"net"
	"os/exec"
)

// socat has a process for each connection, and so there cannot be many of these.
var socat = contender{
	name:  "socat",
	about: "socat: `fork`, `nodelay`, blocks of 64 KiB; a process for each connection, so it is not asked for thousands",
	most:  200,
	find: func(ctx context.Context, _ site) (string, error) {
		return versionOf(ctx, `socat version (\S+)`, "socat", "-V")
	},
	start: func(ctx context.Context, s site) (*running, error) {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return startProcess(ctx, addr, exec.CommandContext(ctx, "socat", "-b", "65536",
			"TCP-LISTEN:"+port+",bind="+host+",fork,reuseaddr,nodelay,backlog=4096", "TCP:"+s.server+",nodelay"))
	},
}
