package toxiproxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A populated is the answer to a list of proxies: those that are there now, and what was wrong with the next one.
type populated struct {
	*apiError
	Proxies []proxyAnswer `json:"proxies"` // null if there are none
}

func (a *API) populate(w http.ResponseWriter, r *http.Request, _, _ string) error {
	done, err := a.populateFrom(by(r), r.Body)
	if err != nil {
		e := apiErrorOf(err)
		return writeJSON(w, e.Status, populated{e, done})
	}
	return writeJSON(w, http.StatusCreated, populated{nil, done})
}

// Populate creates the proxies of a config file, which is what /populate reads.
func (a *API) Populate(config []byte) error {
	_, err := a.populateFrom("-config", bytes.NewReader(config))
	if err != nil {
		return apiErrorOf(err)
	}
	return nil
}

// populateFrom makes proxies what a list says. All of the list is looked at first. What is done then is done in order, as far as it can be.
func (a *API) populateFrom(asks string, body io.Reader) (done []proxyAnswer, err error) {
	var list []Proxy
	if err := decode(body, &list); err != nil {
		return nil, err
	}
	for i, p := range list {
		where := fmt.Sprintf(" at proxy %d", i+1)
		if err := p.lacks(where); err != nil {
			return nil, err
		}
		if _, err := wanted(p.Toxics); err != nil {
			e := apiErrorOf(err)
			return nil, failed(e.Status, "%s%s", e.Message, where)
		}
	}
	for _, p := range list {
		answer, err := a.replace(asks, p)
		if err != nil {
			return done, err
		}
		done = append(done, answer)
	}
	return done, nil
}

// replace creates a proxy. If there is one with the same addresses it stays as it is, but for toxics that are asked for; one with others is
// replaced, and its toxics go with it.
func (a *API) replace(asks string, p Proxy) (proxyAnswer, error) {
	is, err := a.hub.Gate(p.Name)
	if err != nil {
		return a.create(asks, p)
	}
	same := sameAddresses(is, p)
	if same && p.Toxics == nil {
		return a.answer(is), nil
	}
	g, toxics, err := a.gate(p)
	if err != nil {
		return proxyAnswer{}, err
	}
	if !same && anywhere(g.Listen) { // which is another port each time
		if err := a.hub.Remove(asks, p.Name); err != nil && apiErrorOf(err) != errNoProxy {
			return proxyAnswer{}, err
		}
		return a.create(asks, p)
	}
	a.changes.Lock()
	defer a.changes.Unlock()
	is, err = a.hub.Update(asks, p.Name, func(was spec.Gate) (spec.Gate, error) {
		if same {
			g.Listen, g.Stopped = was.Listen, was.Stopped
		}
		was.Listen, was.Server, was.Stopped, was.ToServer, was.ToClient = g.Listen, g.Server, g.Stopped, g.ToServer, g.ToClient
		return was, nil
	})
	if err != nil {
		return proxyAnswer{}, err
	}
	a.forget(p.Name, "")
	a.rememberAll(p.Name, toxics)
	return a.answer(is), nil
}

// anywhere reports whether an address stands for any port.
func anywhere(address string) bool {
	at, err := net.ResolveTCPAddr("tcp", address)
	return err == nil && at.Port == 0
}

// sameAddresses reports whether a gate has the addresses that a client asks for. A port that is any never is the same.
func sameAddresses(is status.Gate, p Proxy) bool {
	return serverOf(said(p.Upstream)) == is.Server && sameListen(said(p.Listen), is.Listen)
}

// sameListen reports whether two addresses are the same place to listen, however they are written.
func sameListen(a, b string) bool {
	x, errX := net.ResolveTCPAddr("tcp", a)
	y, errY := net.ResolveTCPAddr("tcp", b)
	if errX != nil || errY != nil || x == nil || y == nil || x.Port == 0 || x.Port != y.Port {
		return a == b && errX != nil
	}
	everywhere := func(ip net.IP) bool { return len(ip) == 0 || ip.IsUnspecified() }
	return x.IP.Equal(y.IP) || everywhere(x.IP) && everywhere(y.IP)
}
