package hub

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// A state is all that is to be there again after the next start.
type state struct {
	Leases []leaseState `json:"leases"`
	Gates  []gateState  `json:"gates"`
}

type leaseState struct {
	Name string        `json:"name"`
	TTL  spec.Duration `json:"ttl"`
	By   string        `json:"by,omitempty"`
}

// A gateState is a gate: what was asked for, with what has become of it.
type gateState struct {
	Asked    spec.Gate    `json:"asked"`
	Bound    string       `json:"bound,omitempty"` // the address that it listens on, or will
	Door     chaos.Door   `json:"door,omitzero"`
	DoorTill time.Time    `json:"door_till,omitzero"`
	DoorHung string       `json:"door_lease,omitempty"`
	By       string       `json:"by,omitempty"`
	Since    time.Time    `json:"since"`
	Owner    string       `json:"owner,omitempty"`
	ToServer []faultState `json:"to_server,omitempty"`
	ToClient []faultState `json:"to_client,omitempty"`
}

type faultState struct {
	ID    string        `json:"id"`
	Fault spec.Fault    `json:"fault"`
	For   spec.Duration `json:"for,omitzero"`
	Lease string        `json:"lease,omitempty"`
	By    string        `json:"by,omitempty"`
	Since time.Time     `json:"since"`
	Till  time.Time     `json:"till,omitzero"`
}

// state returns what is there now. Of what a transaction is changing it returns what was there before, and what a lease has taken with it
// that has ended is not there. It is looked at by one goroutine at a time.
func (h *Hub) state() state {
	h.mu.Lock()
	h.looking = true // no transaction begins to change anything meanwhile: all of its gates are as they were before it, or all behind it
	var s state
	var gates []*gate
	for name, g := range h.gates {
		if _, hidden := h.was[name]; !hidden {
			gates = append(gates, g)
		}
	}
	for _, was := range h.was {
		if was != nil {
			s.Gates = append(s.Gates, *was)
		}
	}
	h.mu.Unlock()
	for _, g := range gates {
		s.Gates = append(s.Gates, g.state())
	}
	slices.SortFunc(s.Gates, func(a, b gateState) int { return strings.Compare(a.Asked.Name, b.Asked.Name) })
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(h.leases)) { // behind the gates, so that none is missing that something hangs on
		l := h.leases[name]
		s.Leases = append(s.Leases, leaseState{l.name, spec.Duration(l.ttl), l.by})
	}
	s.loosen(func(lease string) bool { return lease != "" && h.leases[lease] == nil })
	h.looking = false
	h.looked.Broadcast()
	return s
}

// loosen removes what hangs on leases that are gone: it is about to be removed.
func (s *state) loosen(gone func(lease string) bool) {
	s.Gates = slices.DeleteFunc(s.Gates, func(g gateState) bool { return gone(g.Asked.Lease) })
	for i := range s.Gates {
		g := &s.Gates[i]
		for _, list := range []*[]faultState{&g.ToServer, &g.ToClient} {
			*list = slices.DeleteFunc(slices.Clone(*list), func(f faultState) bool { return gone(f.Lease) })
		}
		if gone(g.DoorHung) {
			g.Door, g.DoorTill, g.DoorHung = chaos.Open, time.Time{}, ""
		}
	}
}

// state returns what the gate is, once what is being changed has been.
func (g *gate) state() gateState {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.changing > 0 {
		g.settled.Wait()
	}
	s := gateState{
		Asked: g.asked, Bound: g.address(), Door: g.gate.Door(), DoorTill: g.door.till, DoorHung: g.door.lease, By: g.by, Since: g.since, Owner: g.owner,
	}
	s.Asked.Lease, s.Asked.Stopped, s.Asked.Door = g.lease, g.stopped, chaos.Open
	for flow, list := range map[*chaos.Flow]*[]faultState{&g.gate.ToServer: &s.ToServer, &g.gate.ToClient: &s.ToClient} {
		for _, i := range flow.Imposed() {
			if f, ok := g.faults[i]; ok {
				*list = append(*list, faultState{f.id, spec.Fault{Fault: i.Fault()}, spec.Duration(f.lasting), f.lease, f.by, f.since, f.till})
			}
		}
	}
	return s
}

// magic begins the state file, before the checksum of the rest.
const magic = "chaosgate-state 1 sha256:"

func (s state) encode() ([]byte, error) {
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return fmt.Appendf(nil, "%s%s\n%s\n", magic, hex.EncodeToString(sum[:]), body), nil
}

func decodeState(data []byte) (s state, err error) {
	head, body, ok := bytes.Cut(data, []byte("\n"))
	sum, isState := strings.CutPrefix(string(head), magic)
	if !ok || !isState {
		return s, errors.New("is no state file of this version of chaosgate")
	}
	body = bytes.TrimSuffix(body, []byte("\n"))
	if is := sha256.Sum256(body); hex.EncodeToString(is[:]) != sum {
		return s, errors.New("is damaged: its checksum is wrong; remove it to begin with nothing")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	return s, decoder.Decode(&s)
}

// restore has what is in the state file be there again, and keeps it there from now on.
func (h *Hub) restore(file string) error {
	var s state
	data, err := os.ReadFile(file)
	if err == nil {
		s, err = decodeState(data)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return errorf(Invalid, "state", "state file %s: %w", file, err)
	}
	for _, l := range s.Leases {
		if _, err := h.lend(l.By, l.Name, time.Duration(l.TTL), 0); err != nil {
			return errorf(Invalid, "state", "state file %s: %w", file, err)
		}
	}
	for _, g := range s.Gates {
		if err := h.restoreGate(g); err != nil {
			return errorf(Unable, "state", "state file %s: gate %s: %w", file, g.Asked.Name, err)
		}
	}
	h.keeper = newKeeper(file, h.state)
	return h.save() // so that it is known now if it cannot be written
}

// restoreGate makes a gate as it was. What was to be over meanwhile is.
func (h *Hub) restoreGate(s gateState) error {
	now := time.Now()
	asked := s.Asked.Listen
	want := s.Asked
	if s.Bound != "" {
		want.Listen = s.Bound
	}
	if s.DoorTill.IsZero() || s.DoorTill.After(now) {
		want.Door = s.Door
	}
	var kept [2][]faultState
	for dir, list := range [2][]faultState{s.ToServer, s.ToClient} {
		for _, f := range list {
			if f.Till.IsZero() || f.Till.After(now) {
				kept[dir] = append(kept[dir], f)
			}
		}
	}
	for dir, es := range map[chaos.Direction]*spec.Entries{chaos.ToServer: &want.ToServer, chaos.ToClient: &want.ToClient} {
		for _, f := range kept[dir] {
			*es = append(*es, spec.Entry{Fault: f.Fault.Fault, ID: f.ID, Lease: f.Lease, For: time.Duration(f.For)})
		}
	}
	g, err := h.begin(s.By, s.Owner, want, nil)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked.Listen, g.since = asked, s.Since
	for _, list := range kept {
		for _, was := range list {
			if f := g.byID(was.ID); f != nil {
				f.by, f.since, f.till = was.By, was.Since, was.Till
				g.arm(f)
			}
		}
	}
	if want.Door != chaos.Open {
		g.keepDoor(s.DoorTill, s.DoorHung)
	}
	return nil
}
