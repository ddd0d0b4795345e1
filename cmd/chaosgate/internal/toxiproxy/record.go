package toxiproxy

// A record is what a client has said of a toxic, and the faults that it has become: as long as they are imposed it holds.
type record struct {
	toxic
	made
}

// remember notes what a client has said of a toxic.
func (a *API) remember(gate string, t toxic, m made) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.told[gate] == nil {
		a.told[gate] = map[string]record{}
	}
	a.told[gate][t.Name] = record{t, m}
}

// remembered returns what a client has said of a toxic that is made of these faults.
func (a *API) remembered(gate, name string, m made) (toxic, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.told[gate][name]
	return r.toxic, ok && r.made == m
}

// forget forgets what was said of a toxic, or of all toxics of a gate if name is "".
func (a *API) forget(gate, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if name != "" {
		delete(a.told[gate], name)
		return
	}
	delete(a.told, gate)
}
