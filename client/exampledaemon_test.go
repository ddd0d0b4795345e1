package client_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// A smallDaemon is as much of a daemon as the examples need: its gates are real, the rest of it is in cmd/chaosgate.
type smallDaemon struct {
	mu    sync.Mutex // guards what follows
	gates map[string]*chaos.Gate
}

// exampleDaemon starts a daemon and an echo server.
func exampleDaemon() (daemon, server string, stop func()) {
	d := &smallDaemon{gates: map[string]*chaos.Gate{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/gates", d.create)
	mux.HandleFunc("GET /v1/gates/{gate}", d.gate)
	mux.HandleFunc("POST /v1/gates/{gate}/to_client", d.add)
	mux.HandleFunc("GET /v1/gates/{gate}/to_client/delay", d.fault)
	mux.HandleFunc("GET /v1/events", d.events)
	mux.HandleFunc("POST /v1/heal", d.heal)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Chaosgate-Boot", "example")
		mux.ServeHTTP(w, q)
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return web.URL, listener.Addr().String(), func() {
		listener.Close()
		web.CloseClientConnections()
		web.Close()
		for _, g := range d.gates {
			g.Close()
		}
	}
}

func (d *smallDaemon) create(w http.ResponseWriter, q *http.Request) {
	var s spec.Gate
	if err := json.NewDecoder(q.Body).Decode(&s); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "invalid", err.Error())
		return
	}
	g, err := s.New()
	if err == nil {
		err = g.Start()
	}
	if err != nil {
		refuse(w, http.StatusConflict, "unable", err.Error())
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gates[s.Name] = g
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(status.Gate{Name: s.Name, Listen: g.Addr(), Server: s.Server})
}

// find returns the gate that a request is about.
func (d *smallDaemon) find(w http.ResponseWriter, q *http.Request) *chaos.Gate {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := q.PathValue("gate")
	if d.gates[name] == nil {
		refuse(w, http.StatusNotFound, "unknown", fmt.Sprintf("unknown gate %q", name))
	}
	return d.gates[name]
}

func (d *smallDaemon) gate(w http.ResponseWriter, q *http.Request) {
	if g := d.find(w, q); g != nil {
		json.NewEncoder(w).Encode(status.Gate{Name: q.PathValue("gate"), Listen: g.Addr()})
	}
}

func (d *smallDaemon) add(w http.ResponseWriter, q *http.Request) {
	g := d.find(w, q)
	if g == nil {
		return
	}
	var es spec.Entries
	if err := json.NewDecoder(q.Body).Decode(&es); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "invalid", err.Error())
		return
	}
	g.ToClient.Set(es.Faults()...)
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(faultsOf(g))
}

func (d *smallDaemon) fault(w http.ResponseWriter, q *http.Request) {
	g := d.find(w, q)
	if g == nil {
		return
	}
	n, _ := strconv.ParseInt(q.FormValue("hits"), 10, 64)
	if err := g.ToClient.Imposed()[0].Wait(q.Context(), n); err != nil {
		return
	}
	json.NewEncoder(w).Encode(faultsOf(g)[0])
}

// faultsOf returns what is imposed on what goes to the client.
func faultsOf(g *chaos.Gate) (list []status.Fault) {
	for _, i := range g.ToClient.Imposed() {
		list = append(list, status.Fault{
			ID: chaos.KindOf(i.Fault()), Direction: chaos.ToClient, Kind: chaos.KindOf(i.Fault()), Fault: spec.Fault{Fault: i.Fault()},
			Text: spec.Text(i.Fault()), Hits: i.Hits(),
		})
	}
	return list
}

func (d *smallDaemon) heal(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var healed status.Healed
	for name, g := range d.gates {
		for _, f := range faultsOf(g) {
			healed.Faults = append(healed.Faults, status.GateFault{Gate: name, Fault: f})
		}
		g.Heal()
	}
	json.NewEncoder(w).Encode(healed)
}

func (d *smallDaemon) events(w http.ResponseWriter, q *http.Request) {
	fmt.Fprintf(w, "id: 1\nevent: created\ndata: {\"id\":1,\"type\":\"created\",\"gate\":%q}\n\n", q.FormValue("gate"))
	w.(http.Flusher).Flush()
	<-q.Context().Done()
}

// refuse answers as a daemon does that refuses.
func refuse(w http.ResponseWriter, code int, sort, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]any{"status": code, "code": sort, "detail": detail})
}
