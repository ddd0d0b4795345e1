package hub

import (
	"cmp"
	"crypto/rand"
	"maps"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/chaosgate/chaos/status"
)

// Options say what a hub is to do. The zero Options are a hub that keeps nothing.
type Options struct {
	State       string                  // the file that gates, faults and leases are kept in; none if empty
	AllowServer []string                // the addresses that gates may connect to, as patterns; if empty, all that no guard is against
	AllowListen []string                // the addresses that gates may listen on, as patterns; if empty, all
	Own         func() []netip.AddrPort // tells what the daemon itself listens on, which no gate connects to; may be nil
	Version     string                  // of the program; if empty, that of the build
}

// A Hub keeps gates by name.
type Hub struct {
	boot    string
	version string
	started time.Time
	events  *ring
	guard   *guard
	keeper  *keeper        // nil if nothing is kept
	closing sync.WaitGroup // gates whose last bytes are being delivered

	mu     sync.Mutex // guards what follows; held shortly
	gates  map[string]*gate
	claims map[string]chan struct{} // names that are being created, replaced or removed; closed when that is done
	leases map[string]*lease
	made   int // how many names were made up
	closed bool

	was     map[string]*gateState // what gates are in the state file that a transaction is changing; nil where there was none
	looking bool                  // what is to be in the state file is being looked at
	looked  sync.Cond             // of mu: told when it has been
}

// New returns a hub. Where there is a state file, the gates in it listen when New returns.
func New(o Options) (*Hub, error) {
	guard, err := newGuard(o)
	if err != nil {
		return nil, err
	}
	h := &Hub{
		boot: rand.Text(), version: o.Version, started: time.Now(), events: new(ring), guard: guard,
		gates: make(map[string]*gate), claims: make(map[string]chan struct{}), leases: make(map[string]*lease), was: make(map[string]*gateState),
	}
	h.looked.L = &h.mu
	if info, ok := debug.ReadBuildInfo(); ok {
		h.version = cmp.Or(h.version, info.Main.Version)
	}
	if o.State == "" {
		return h, nil
	}
	if err := h.restore(o.State); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Boot names this hub: after each start another.
func (h *Hub) Boot() string { return h.boot }

// Version tells what the daemon is.
func (h *Hub) Version() status.Version {
	return status.Version{
		Version: h.version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Boot: h.boot, Started: h.started,
	}
}

// Close lifts everything, closes all gates, and waits until nothing is left of them. The state file stays as it is.
func (h *Hub) Close() error {
	h.keeper.stop() // first: what is closed here is to be there after the next start
	h.mu.Lock()
	h.closed = true
	gates := slices.Collect(maps.Values(h.gates))
	leases := slices.Collect(maps.Values(h.leases))
	h.gates, h.leases = map[string]*gate{}, map[string]*lease{}
	h.mu.Unlock()
	for _, l := range leases {
		l.timer.Stop()
	}
	var all sync.WaitGroup
	for _, g := range gates {
		h.closing.Add(1)
		all.Go(func() {
			_, _ = g.heal("") // so that what faults hold back is delivered rather than dropped; what cannot be lifted goes with the gate
			h.dismiss(g)
		})
	}
	all.Wait()
	h.closing.Wait()
	h.events.close()
	return nil
}

// find returns a gate.
func (h *Hub) find(name string) (*gate, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	g, ok := h.gates[name]
	if !ok {
		return nil, unknownGate(name, slices.Sorted(maps.Keys(h.gates)))
	}
	return g, nil
}

// all returns the gates, sorted by name.
func (h *Hub) all() []*gate {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*gate, 0, len(h.gates))
	for _, name := range slices.Sorted(maps.Keys(h.gates)) {
		all = append(all, h.gates[name])
	}
	return all
}

// Gates returns all gates, sorted by name.
func (h *Hub) Gates() []status.Gate {
	all := []status.Gate{}
	for _, g := range h.all() {
		all = append(all, g.status())
	}
	return all
}

// Gate returns a gate.
func (h *Hub) Gate(name string) (status.Gate, error) {
	g, err := h.find(name)
	if err != nil {
		return status.Gate{}, err
	}
	return g.status(), nil
}
