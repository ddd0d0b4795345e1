package main

import (
	"context"
	"errors"
	"os"
	"runtime/pprof"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// gateInProcess is a gate as a test has it, but in a process of its own.
var gateInProcess = contender{
	name:  "gate",
	about: "`chaos.Gate` in a process that holds nothing else",
	find:  func(context.Context, site) (string, error) { return "this tree", nil },
	can:   func(fault) bool { return true },
	gate:  true,
	start: func(ctx context.Context, s site) (*running, error) {
		c, err := startChild(ctx, "gate", s.server, s.fault.way.String(), s.fault.text, s.profile)
		if err != nil {
			return nil, err
		}
		return &running{addr: c.addr, pid: c.pid, ask: c.ask, stop: c.stop}, nil
	},
}

// gateRole is the role of a child that holds a gate. Its arguments are the server's address, a direction, a fault for it,
// and the file for a profile, each of which may be empty but the first.
func gateRole(args []string) (string, func(string) string, func(), error) {
	if len(args) != 4 {
		return "", nil, nil, errors.New("want four arguments: server, direction, fault, profile")
	}
	g := &chaos.Gate{Server: args[0]}
	if args[2] != "" {
		faults, err := spec.ParseFaults(args[2])
		if err != nil {
			return "", nil, nil, err
		}
		flow := &g.ToServer
		if args[1] == chaos.ToClient.String() {
			flow = &g.ToClient
		}
		flow.Set(faults...)
	}
	if args[3] != "" {
		file, err := os.Create(args[3])
		if err != nil {
			return "", nil, nil, err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return "", nil, nil, err
		}
	}
	if err := g.Start(); err != nil {
		return "", nil, nil, err
	}
	orders := &gateOrders{gate: g}
	return g.Addr(), orders.obey, pprof.StopCPUProfile, nil
}
