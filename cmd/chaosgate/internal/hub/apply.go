package hub

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"

	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A Scope tells which gates a desired state is all of.
type Scope struct{ owner string }

// Everything is the scope of a desired state that names all gates there are to be.
var Everything = Scope{}

// Owned is the scope of a desired state that names all gates of its owner: those of others stay, and one that it names becomes its own.
func Owned(owner string) Scope { return Scope{owner} }

// has reports whether a gate that is not wanted any more is to go.
func (s Scope) has(g *gate) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return s == Everything || g.owner == s.owner
}

// Apply makes the gates what they are wanted to be: it creates, changes, replaces and removes. What is as it is wanted is left alone. If
// any of it cannot be, nothing is changed, and what had to be closed to find that out stands again.
func (h *Hub) Apply(by string, want []spec.Gate, scope Scope) (status.Diff, error) {
	names := make(map[string]bool)
	for i, s := range want {
		path := fmt.Sprintf("gates[%d]", i)
		switch {
		case s.Name == "":
			return status.Diff{}, errorf(Invalid, path+".name", "%s.name: got none, want a name", path)
		case names[s.Name]:
			return status.Diff{}, errorf(Invalid, path+".name", "%s.name: got %s, which another gate has", path, s.Name)
		}
		names[s.Name] = true
		if err := h.admissible(s); err != nil {
			return status.Diff{}, &Error{err.Code, joinPath(path, err.Path), fmt.Errorf("%s: %w", path, err)}
		}
	}
	claims := maps.Clone(names)
	for _, g := range h.all() {
		if scope.has(g) {
			claims[g.name] = true
		}
	}
	release, err := h.claim(slices.Sorted(maps.Keys(claims))...)
	if err != nil {
		return status.Diff{}, err
	}
	defer release()
	t := h.transaction(by, scope.owner)
	defer t.end()
	for _, s := range want {
		old, _ := h.find(s.Name)
		if old != nil {
			t.freeze(old)
		}
		t.want(old, s)
	}
	for _, g := range h.all() {
		if claims[g.name] && !names[g.name] && scope.has(g) {
			t.freeze(g)
			t.remove(g)
		}
	}
	if err := t.commit(); err != nil {
		for i, s := range want {
			if s.Name == t.failed {
				path := fmt.Sprintf("gates[%d]", i)
				return status.Diff{}, &Error{err.Code, joinPath(path, err.Path), fmt.Errorf("%s (%s): %w", path, s.Name, err)}
			}
		}
		return status.Diff{}, err
	}
	return t.diff, h.save()
}

// admissible says why a gate cannot be, if that can be told before it is tried.
func (h *Hub) admissible(s spec.Gate) *Error {
	if err := s.Check(); err != nil {
		return invalid("", err)
	}
	for _, err := range []error{h.guard.listen(cmp.Or(s.Network, "tcp"), s.Listen), h.leasedGate(s)} {
		if err != nil {
			return err.(*Error)
		}
	}
	return nil
}

// Update changes a gate to what change makes of it, but for its name. Where its addresses or its bounds become others it is made anew, and its connections end.
func (h *Hub) Update(by, name string, change func(spec.Gate) (spec.Gate, error)) (status.Gate, error) {
	release, err := h.claim(name)
	if err != nil {
		return status.Gate{}, err
	}
	defer release()
	g, err := h.find(name)
	if err != nil {
		return status.Gate{}, err
	}
	t := h.transaction(by, g.owned())
	defer t.end()
	t.freeze(g)
	want, err := change(g.spec())
	if err != nil {
		return status.Gate{}, invalid("", err)
	}
	want.Name = name
	if err := h.admissible(want); err != nil {
		return status.Gate{}, err
	}
	t.want(g, want)
	if err := t.commit(); err != nil {
		return status.Gate{}, err
	}
	if g, err = h.find(name); err != nil {
		return status.Gate{}, err
	}
	return g.status(), h.save()
}

// Reseed sets a gate's seed and begins to count its connections anew.
func (h *Hub) Reseed(by, name string, seed uint64) (status.Gate, error) {
	s := spec.Seed(seed)
	if s == 0 {
		return status.Gate{}, errorf(Invalid, "seed", "seed: got 0, want another number")
	}
	g, err := h.find(name)
	if err != nil {
		return status.Gate{}, err
	}
	g.reseed(s)
	return g.status(), h.save()
}

func (g *gate) reseed(seed spec.Seed) {
	g.mu.Lock()
	g.asked.Seed = seed
	g.mu.Unlock()
	g.gate.Reseed(uint64(seed))
}

// owned returns whose desired state the gate belongs to.
func (g *gate) owned() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.owner
}

// differs reports whether the gate cannot become what is wanted without being made anew.
func (g *gate) differs(want spec.Gate) bool {
	is := g.spec()
	const anyPort = "127.0.0.1:0" // what no address stands for, but for unix sockets, where it is none
	if listen := want.Listen; listen == is.Listen || cmp.Or(listen, anyPort) == cmp.Or(g.asked.Listen, anyPort) || sameAddress(listen, is.Listen) {
		want.Listen = is.Listen
	}
	return cmp.Or(want.Network, "tcp") != is.Network || want.Listen != is.Listen || want.Server != is.Server ||
		want.Window != is.Window || want.Memory != is.Memory || want.Sessions != is.Sessions || want.Expire != is.Expire
}

// sameAddress reports whether two addresses with a port stand for the same.
func sameAddress(a, b string) bool {
	x, errX := net.ResolveTCPAddr("tcp", a)
	y, errY := net.ResolveTCPAddr("tcp", b)
	return errX == nil && errY == nil && x.Port != 0 && x.String() == y.String()
}
