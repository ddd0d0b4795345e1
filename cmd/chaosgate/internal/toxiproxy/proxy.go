package toxiproxy

import (
	"cmp"
	"net"
	"net/http"
	"strings"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A proxyAnswer is a proxy as clients see it.
type proxyAnswer struct {
	Name     string  `json:"name"`
	Listen   string  `json:"listen"`
	Upstream string  `json:"upstream"`
	Enabled  bool    `json:"enabled"`
	Toxics   []toxic `json:"toxics"`
}

// A Proxy is what a client asks for; what is nil was not said. It is exported for encoding/json, which names it in its errors.
type Proxy struct {
	Name     string         `json:"name"`
	Listen   *string        `json:"listen"`
	Upstream *string        `json:"upstream"`
	Enabled  *bool          `json:"enabled"`
	Toxics   []ToxicWrapper `json:"toxics"` // which Toxiproxy does not look at
}

// lacks returns the error about what has to be said of a new proxy and was not; where says of which.
func (p Proxy) lacks(where string) error {
	switch {
	case p.Name == "":
		return failed(http.StatusBadRequest, "missing required field: name%s", where)
	case said(p.Upstream) == "":
		return failed(http.StatusBadRequest, "missing required field: upstream%s", where)
	}
	return nil
}

// said returns what was said, or nothing.
func said(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// anyPort is where a proxy listens for which nothing was said.
const anyPort = ":0"

// nowhere stands behind an upstream that has no port, which Toxiproxy takes, and to which no connection succeeds: RFC 2606 has
// nothing with that ending exist.
const nowhere = ".invalid:1"

// serverOf returns the address of an upstream.
func serverOf(upstream string) string {
	if _, _, err := net.SplitHostPort(upstream); err != nil && !strings.Contains(upstream, ":") {
		return upstream + nowhere
	}
	return upstream
}

// answer returns a gate as a proxy.
func (a *API) answer(g status.Gate) proxyAnswer {
	p := proxyAnswer{Name: g.Name, Listen: g.Listen, Upstream: strings.TrimSuffix(g.Server, nowhere), Enabled: !g.Stopped, Toxics: []toxic{}}
	if p.Listen == anyPort { // it has never listened
		p.Listen = ""
	}
	for _, i := range a.toxics(g) {
		p.Toxics = append(p.Toxics, i.toxic)
	}
	return p
}

// listening returns where a gate is to listen, or the error that Go has about the address.
func listening(address string) (string, error) {
	address = cmp.Or(address, anyPort)
	_, err := net.ResolveTCPAddr("tcp", address)
	return address, err
}

// gate returns the gate that a client asks for, and its toxics.
func (a *API) gate(p Proxy) (spec.Gate, []toxic, error) {
	g := spec.Gate{Name: p.Name, Server: serverOf(said(p.Upstream)), Seed: spec.Seed(a.options.Seed), Stopped: p.Enabled != nil && !*p.Enabled}
	var err error
	if g.Listen, err = listening(said(p.Listen)); err != nil {
		return g, nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	toxics, err := wanted(p.Toxics)
	if err != nil {
		return g, nil, err
	}
	for _, t := range toxics {
		m, _ := t.faults() // it is as it is wanted
		flow := &g.ToClient
		if t.direction() == chaos.ToServer {
			flow = &g.ToServer
		}
		*flow = append(*flow, m.entries(t.Name)...)
	}
	return g, toxics, nil
}

// create creates a proxy with its toxics.
func (a *API) create(asks string, p Proxy) (proxyAnswer, error) {
	g, toxics, err := a.gate(p)
	if err != nil {
		return proxyAnswer{}, err
	}
	a.changes.Lock()
	defer a.changes.Unlock()
	is, err := a.hub.Create(asks, g)
	if err != nil {
		return proxyAnswer{}, err
	}
	a.forget(p.Name, "")
	a.rememberAll(p.Name, toxics)
	return a.answer(is), nil
}

// rememberAll notes what a client has said of toxics that were imposed.
func (a *API) rememberAll(gate string, toxics []toxic) {
	for _, t := range toxics {
		m, _ := t.faults() // they were made before
		a.remember(gate, t, m)
	}
}

func (a *API) listProxies(w http.ResponseWriter, _ *http.Request, _, _ string) error {
	all := map[string]proxyAnswer{} // which is written in the order of the names
	for _, g := range a.hub.Gates() {
		all[g.Name] = a.answer(g)
	}
	return writeJSON(w, http.StatusOK, all)
}

func (a *API) createProxy(w http.ResponseWriter, r *http.Request, _, _ string) error {
	var p Proxy
	if err := decode(r.Body, &p); err != nil {
		return err
	}
	if err := p.lacks(""); err != nil {
		return err
	}
	if _, err := a.hub.Gate(p.Name); err == nil { // before its address is looked at
		return errProxyTaken
	}
	answer, err := a.create(by(r), p)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, answer)
}

func (a *API) showProxy(w http.ResponseWriter, _ *http.Request, name, _ string) error {
	g, err := a.hub.Gate(name)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, a.answer(g))
}

func (a *API) updateProxy(w http.ResponseWriter, r *http.Request, name, _ string) error {
	if _, err := a.hub.Gate(name); err != nil {
		return err
	}
	var p Proxy
	if err := decode(r.Body, &p); err != nil {
		return err
	}
	g, err := a.hub.Update(by(r), name, func(g spec.Gate) (spec.Gate, error) {
		if p.Listen != nil && *p.Listen != g.Listen {
			var err error
			if g.Listen, err = listening(*p.Listen); err != nil {
				return g, failed(http.StatusInternalServerError, "%v", err)
			}
		}
		if p.Upstream != nil {
			g.Server = serverOf(*p.Upstream)
		}
		if p.Enabled != nil {
			g.Stopped = !*p.Enabled
		}
		return g, nil
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, a.answer(g))
}

func (a *API) removeProxy(w http.ResponseWriter, r *http.Request, name, _ string) error {
	if err := a.hub.Remove(by(r), name); err != nil {
		return err
	}
	a.forget(name, "")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// reset starts every proxy and lifts every toxic. It goes on where one cannot be started, and then tells the first error.
func (a *API) reset(w http.ResponseWriter, r *http.Request, _, _ string) error {
	a.changes.Lock()
	defer a.changes.Unlock()
	var errs []error
	for _, g := range a.hub.Gates() {
		if err := a.resetGate(by(r), g); err != nil && apiErrorOf(err) != errNoProxy { // one that is gone needs nothing
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return errs[0]
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) resetGate(asks string, g status.Gate) error {
	for _, i := range a.toxics(g) {
		if err := a.endTimedOut(asks, g.Name, i); err != nil {
			return err
		}
	}
	a.forget(g.Name, "")
	_, err := a.hub.Heal(asks, g.Name)
	if g.Stopped {
		_, failed := a.hub.Update(asks, g.Name, func(g spec.Gate) (spec.Gate, error) {
			g.Stopped = false
			return g, nil
		})
		if err == nil {
			err = failed
		}
	}
	return err
}
