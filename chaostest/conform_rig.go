package chaostest

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/chaosgate/chaos"
)

// A rig is a gate between a client and a server, on a network of its own.
type rig struct {
	*trial
	gate    *chaos.Gate
	flow    *chaos.Flow // that of the trial's direction
	faults  []chaos.Fault
	imposed *chaos.Imposed // the fault's
	gone    atomic.Bool    // the fault was lifted
	net     *Network
	servers net.Listener // of streams
	sessions
}

// newRig starts a gate that imposes what a run asks for.
func (c *trial) newRig(r run) *rig {
	c.Helper()
	rig := &rig{trial: c, net: NewNetwork()}
	if c.traits.Start != nil {
		c.traits.Start(c.TB, rig.net)
	}
	rig.gate = &chaos.Gate{Network: c.network, Seed: 1, DialContext: rig.net.Dial}
	var other *chaos.Flow
	rig.flow, other = &rig.gate.ToServer, &rig.gate.ToClient
	if c.dir == chaos.ToClient {
		rig.flow, other = other, rig.flow
	}
	if c.datagrams() {
		rig.listenPacket(other)
	} else {
		rig.listen()
	}
	rig.impose(r)
	if err := rig.gate.Start(); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(rig.close)
	return rig
}

func (r *rig) listen() {
	r.Helper()
	var err error
	if r.servers, err = r.net.Listen(context.Background(), "tcp", ""); err != nil {
		r.Fatal(err)
	}
	r.gate.Server, r.gate.ListenFunc = r.servers.Addr().String(), r.net.Listen
}

func (r *rig) impose(run run) {
	fault := run.fault
	if fault == nil {
		fault = r.fault
	}
	if run.before != nil {
		r.faults = append(r.faults, run.before)
	}
	at := len(r.faults)
	switch {
	case run.none:
		return
	case run.bare:
		r.faults = append(r.faults, fault)
	default:
		r.faults = append(r.faults, r.probeBefore(run.scribble), fault, r.probeBehind(run.scribble))
		at++
	}
	r.imposed = r.flow.Set(r.faults...)[at]
}

// close ends the rig. It may have ended already.
func (r *rig) close() {
	if err := r.gate.Close(); err != nil {
		r.fails(RuleClose, "%v", err)
	}
	if r.servers != nil {
		r.servers.Close()
	}
	r.sessions.close()
}

// lift takes the fault away, if there is one.
func (r *rig) lift() {
	if r.imposed != nil {
		r.imposed.Lift()
		r.gone.Store(true)
	}
}
