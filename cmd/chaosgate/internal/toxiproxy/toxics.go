package toxiproxy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
)

// A ToxicWrapper is what a client asks for. It is exported for encoding/json, which names it in its errors.
type ToxicWrapper struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Stream     string          `json:"stream"`
	Toxicity   *float32        `json:"toxicity"`
	Attributes json.RawMessage `json:"attributes"`
}

// toxic returns the toxic that is asked for, if there can be one.
func (ask ToxicWrapper) toxic(taken func(name string) bool) (toxic, error) {
	t := toxic{Type: ask.Type, Stream: cmp.Or(ask.Stream, streams[chaos.ToClient]), Toxicity: 1}
	t.Name = cmp.Or(ask.Name, t.Type+"_"+t.Stream)
	if !strings.EqualFold(t.Stream, streams[t.direction()]) {
		return t, errStream
	}
	begin, ok := types[t.Type]
	if !ok {
		return t, errType
	}
	if taken(t.Name) {
		return t, errToxicTaken
	}
	t.Attributes = begin()
	return t, t.change(ask.Attributes, ask.Toxicity)
}

// change sets the attributes that stand in a JSON object, and the toxicity if there is one. The toxic has its attributes for itself.
func (t *toxic) change(attributes json.RawMessage, toxicity *float32) error {
	if len(attributes) > 0 {
		whole := struct {
			Attributes any `json:"attributes"`
		}{t.Attributes}
		if err := json.Unmarshal(fmt.Appendf(nil, `{"attributes":%s}`, attributes), &whole); err != nil { // whose error has the way to the attribute
			return badBody(err)
		}
	}
	if toxicity != nil {
		t.Toxicity = *toxicity
	}
	if _, err := t.faults(); err != nil {
		return &apiError{err.Error(), http.StatusBadRequest}
	}
	return nil
}

// wanted returns the toxics that stand in a proxy's object.
func wanted(asks []ToxicWrapper) ([]toxic, error) {
	var all []toxic
	names := map[string]bool{}
	for _, ask := range asks {
		t, err := ask.toxic(func(name string) bool { return names[name] })
		if err != nil {
			return nil, err
		}
		names[t.Name] = true
		all = append(all, t)
	}
	return all, nil
}

// find returns a gate's toxic.
func (a *API) find(gate, name string) (imposition, error) {
	g, err := a.hub.Gate(gate)
	if err != nil {
		return imposition{}, err
	}
	for _, i := range a.toxics(g) {
		if i.Name == name {
			return i, nil
		}
	}
	return imposition{}, errNoToxic
}

func (a *API) listToxics(w http.ResponseWriter, _ *http.Request, gate, _ string) error {
	g, err := a.hub.Gate(gate)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, a.answer(g).Toxics)
}

func (a *API) showToxic(w http.ResponseWriter, _ *http.Request, gate, name string) error {
	i, err := a.find(gate, name)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, i.toxic)
}

func (a *API) addToxic(w http.ResponseWriter, r *http.Request, gate, _ string) error {
	g, err := a.hub.Gate(gate)
	if err != nil {
		return err
	}
	var ask ToxicWrapper
	if err := decode(r.Body, &ask); err != nil {
		return err
	}
	a.changes.Lock()
	defer a.changes.Unlock()
	t, err := ask.toxic(func(name string) bool {
		_, err := a.hub.Find(g.Name, name) // also what no toxic is like has a name
		return err == nil
	})
	if err != nil {
		return err
	}
	m, _ := t.faults() // it is as it is wanted
	if _, err := a.hub.Add(by(r), hub.Where{Gate: gate, Direction: t.direction()}, m.entries(t.Name)); err != nil {
		return err
	}
	a.remember(gate, t, m)
	return writeJSON(w, http.StatusOK, t)
}

func (a *API) updateToxic(w http.ResponseWriter, r *http.Request, gate, name string) error {
	var ask struct {
		Toxicity   *float32        `json:"toxicity"`
		Attributes json.RawMessage `json:"attributes"`
	}
	if _, err := a.find(gate, name); err != nil { // before the body is looked at
		return err
	}
	if err := decode(r.Body, &ask); err != nil {
		return err
	}
	a.changes.Lock()
	defer a.changes.Unlock()
	was, err := a.find(gate, name)
	if err != nil {
		return err
	}
	t := was.toxic
	t.Attributes = types[t.Type]()
	before, _ := json.Marshal(was.Attributes) // numbers
	_ = json.Unmarshal(before, t.Attributes)
	if err := t.change(ask.Attributes, ask.Toxicity); err != nil {
		return err
	}
	m, _ := t.faults() // it is as it is wanted
	if err := a.become(by(r), gate, was, m); err != nil {
		return err
	}
	a.remember(gate, t, m)
	return writeJSON(w, http.StatusOK, t)
}

func (a *API) removeToxic(w http.ResponseWriter, r *http.Request, gate, name string) error {
	a.changes.Lock()
	defer a.changes.Unlock()
	i, err := a.find(gate, name)
	if err != nil {
		return err
	}
	if err := a.endTimedOut(by(r), gate, i); err != nil {
		return err
	}
	if err := a.become(by(r), gate, i, made{}); err != nil {
		return err
	}
	a.forget(gate, name)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// endTimedOut ends the gate's connections before a toxic is lifted that has taken bytes of theirs, as Toxiproxy does.
func (a *API) endTimedOut(asks, gate string, i imposition) error {
	if i.Type != "timeout" {
		return nil
	}
	_, err := a.hub.CloseConns(asks, gate, chaos.All, chaos.FIN)
	return err
}

// become makes the faults of a toxic others, in place: what they remember of connections stays. With none it is lifted.
func (a *API) become(asks, gate string, i imposition, to made) error {
	w := hub.Where{Gate: gate, Direction: i.direction()}
	beside := besideID(i.Name, i.main)
	if i.beside == nil && to.beside != nil { // first, for what is discarded reaches nothing behind
		return a.insert(asks, gate, i, to)
	}
	if to.main != i.main {
		if err := a.changeOne(asks, w, i.Name, to.main); err != nil {
			return err
		}
	}
	if i.beside != nil && to.beside != i.beside {
		return a.changeOne(asks, w, beside, to.beside)
	}
	return nil
}

// changeOne makes a fault another, or lifts it.
func (a *API) changeOne(asks string, w hub.Where, id string, to chaos.Fault) error {
	var err error
	if to == nil {
		_, err = a.hub.Lift(asks, w, id)
	} else {
		_, err = a.hub.Change(asks, w, id, into(to))
	}
	return err
}

// into returns what has any fault become another.
func into(f chaos.Fault) func(chaos.Fault) (hub.Change, error) {
	return func(chaos.Fault) (hub.Change, error) { return hub.Change{Fault: f}, nil }
}

// insert makes the faults of a toxic others, of which there is one more: it comes first, for what is discarded reaches nothing behind.
func (a *API) insert(asks, gate string, i imposition, to made) error {
	_, err := a.hub.Update(asks, gate, func(g spec.Gate) (spec.Gate, error) {
		list := &g.ToClient
		if i.direction() == chaos.ToServer {
			list = &g.ToServer
		}
		at := slices.IndexFunc(*list, func(e spec.Entry) bool { return e.ID == i.Name })
		if at < 0 {
			return g, errNoToxic
		}
		*list = slices.Replace(slices.Clone(*list), at, at+1, to.entries(i.Name)...)
		return g, nil
	})
	return err
}
