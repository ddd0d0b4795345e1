package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
)

// Options say who is let in, and what stands beside the API. The zero Options let in whoever reaches the daemon by an IP address or as
// localhost, other than browsers.
type Options struct {
	Token      string       // that every request has to carry; none if empty
	AllowHosts []string     // by which names it is called, beside localhost and IP addresses
	Metrics    http.Handler // answers /metrics; nobody if nil
	Console    http.Handler // answers / and what is below /console/, for browsers; nobody if nil
	Local      bool         // without a token, answer only this machine, wherever the daemon listens
	Beside     Beside       // answers other routes; nobody if nil
	Open       bool         // what Beside answers needs no token
}

// A Beside answers routes on the same port, for clients that were not written for this API.
type Beside interface {
	http.Handler
	Handles(r *http.Request) bool // whether a request is for it
}

// An API answers requests.
type api struct {
	hub      *hub.Hub
	options  Options
	sessions *sessions
	mux      *http.ServeMux
	huma     huma.API
	openapi  []byte
}

// New returns the handler of all routes.
func New(h *hub.Hub, o Options) http.Handler { return newAPI(h, o) }

func newAPI(h *hub.Hub, o Options) *api {
	a := &api{hub: h, options: o, mux: http.NewServeMux(), sessions: newSessions()}
	config := huma.DefaultConfig("chaosgate", "1")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.RejectUnknownQueryParameters = true
	config.Info.Description = "Gates between clients and servers, and what they do to the traffic."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	config.Components.Schemas = newRegistry()
	a.huma = humago.New(a.mux, config)
	a.gateRoutes()
	a.flowRoutes()
	a.connRoutes()
	a.leaseRoutes()
	a.eventRoutes()
	a.otherRoutes()
	a.consoleRoutes()
	a.openapi, _ = json.MarshalIndent(a.huma.OpenAPI(), "", "  ") // it is made of strings
	a.plainRoutes()
	return a
}

// plainRoutes are for programs that want a word rather than JSON.
func (a *api) plainRoutes() {
	ok := func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }
	a.mux.HandleFunc("GET /healthz", ok)
	a.mux.HandleFunc("GET /readyz", ok) // gates listen before the API does
	a.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(a.openapi)
	})
	if a.options.Metrics != nil {
		a.mux.Handle("GET /metrics", a.options.Metrics)
	}
}

// How long a client may take: none should, on a network that a daemon for tests is reached by.
const (
	headerPatience = 10 * time.Second // to send a request's header
	bodyPatience   = 10 * time.Second // to send its body
	answerPatience = 30 * time.Second // to take an answer, or what a stream has for it
	idlePatience   = 2 * time.Minute  // between two requests
)

// Server returns a server for a handler, with limits to how long clients keep it waiting. Answers that wait for something set theirs themselves.
func Server(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: headerPatience, IdleTimeout: idlePatience, MaxHeaderBytes: 64 << 10}
}

// route registers an operation.
func route[In, Out any](a *api, method, path, id, summary string, handle func(context.Context, *In) (*Out, error), more ...func(*huma.Operation)) {
	op := huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, SkipValidateBody: true,
		Parameters: []*huma.Param{
			{Name: headerBy, In: "header", Description: "who asks: a test, a person", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "If-Match", In: "header", Description: "a boot id: fails with 412 when the daemon was started anew", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Security: []map[string][]string{{"token": {}}, {}},
	}
	for _, f := range more {
		f(&op)
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *In) (*Out, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
}

// created has an operation answer 201.
func created(op *huma.Operation) { op.DefaultStatus = http.StatusCreated }

// body says what an operation reads.
func body[T any](a *api, example any) func(*huma.Operation) {
	return func(op *huma.Operation) {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, ""), Example: example},
		}}
	}
}

// An answer is a JSON body.
type answer[T any] struct{ Body T }

// answered makes an answer of what a hub has said.
func answered[T any](body T, err error) (*answer[T], error) {
	if err != nil {
		return nil, err
	}
	return &answer[T]{body}, nil
}
