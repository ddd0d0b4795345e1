package hub

import (
	"cmp"
	"errors"
	"slices"
	"sync"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/status"
)

// Heal lifts every fault of a gate, those of single connections too, and opens its door; of all gates if name is "". It tells what that was.
func (h *Hub) Heal(by, name string) (status.Healed, error) {
	gates := h.all()
	if name != "" {
		g, err := h.find(name)
		if err != nil {
			return status.Healed{}, err
		}
		gates = []*gate{g}
	}
	healed := make([]status.Healed, len(gates))
	errs := make([]error, len(gates))
	var all sync.WaitGroup
	for i, g := range gates {
		all.Go(func() { healed[i], errs[i] = g.heal(by) })
	}
	all.Wait()
	sum := status.Healed{Faults: []status.GateFault{}, Doors: []status.GateDoor{}}
	for _, one := range healed {
		sum.Faults = append(sum.Faults, one.Faults...)
		sum.Doors = append(sum.Doors, one.Doors...)
	}
	return sum, cmp.Or(errors.Join(errs...), h.save())
}

func (g *gate) heal(by string) (healed status.Healed, err error) {
	if d := g.gate.Door(); d != chaos.Open {
		healed.Doors = append(healed.Doors, status.GateDoor{Gate: g.name, Door: d})
	}
	g.mu.Lock()
	if err := g.changes(false); err != nil { // with the gate goes all that was imposed
		g.mu.Unlock()
		return status.Healed{}, nil
	}
	var lifted []*fault
	for _, f := range g.faults {
		if !f.lifted {
			f.why = cause{by, "all was healed"}
			lifted = append(lifted, f)
		}
	}
	g.mu.Unlock()

	if err = g.gate.Heal(); err == nil && len(healed.Doors) > 0 {
		g.doorEvent(cause{by, "all was healed"}, chaos.Open)
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	g.changed()
	if err != nil {
		return healed, &Error{Unable, "door", err}
	}
	g.door.shut()
	slices.SortFunc(lifted, func(a, b *fault) int { return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.id, b.id)) })
	for _, f := range lifted {
		healed.Faults = append(healed.Faults, status.GateFault{Gate: g.name, Fault: f.status(false)})
		g.lost(f)
	}
	return healed, nil
}
