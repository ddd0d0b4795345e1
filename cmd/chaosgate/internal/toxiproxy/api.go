package toxiproxy

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
)

// Options say what is told of the server, and who is let in.
type Options struct {
	Version string       // what /version answers; clients look whether it is 2.6 or newer
	Seed    uint64       // of each proxy that is created; each draws its own if zero
	Metrics http.Handler // answers /metrics; it is another's if nil
}

// An API answers requests as Toxiproxy's server does.
type API struct {
	hub     *hub.Hub
	options Options

	changes sync.Mutex // held while a toxic is changed, which is to read it and to write it; nobody who holds it waits for a peer

	mu   sync.Mutex // guards what follows; held shortly
	told map[string]map[string]record
}

// New returns the API over a hub.
func New(h *hub.Hub, o Options) *API {
	return &API{hub: h, options: o, told: map[string]map[string]record{}}
}

// maxBody is how large a request's body may be.
const maxBody = 8 << 20

// How long a client may take to send its request and to take its answer, as with Toxiproxy's server.
const (
	bodyPatience   = 15 * time.Second
	answerPatience = 30 * time.Second
)

// A handler answers a request whose path has these segments in place of the wildcards.
type handler func(a *API, w http.ResponseWriter, r *http.Request, name, toxic string) error

// A route is a path, whose segments are words or * for a name, with what its methods do.
type route struct {
	path    string
	methods map[string]handler
}

var routes = []route{
	{"/version", map[string]handler{"GET": (*API).version}},
	{"/metrics", map[string]handler{"GET": (*API).metrics}},
	{"/proxies", map[string]handler{"GET": (*API).listProxies, "POST": (*API).createProxy}},
	{"/populate", map[string]handler{"POST": (*API).populate}},
	{"/reset", map[string]handler{"POST": (*API).reset}},
	{"/proxies/*", map[string]handler{"GET": (*API).showProxy, "POST": (*API).updateProxy, "PATCH": (*API).updateProxy, "DELETE": (*API).removeProxy}},
	{"/proxies/*/toxics", map[string]handler{"GET": (*API).listToxics, "POST": (*API).addToxic}},
	{"/proxies/*/toxics/*", map[string]handler{"GET": (*API).showToxic, "POST": (*API).updateToxic, "PATCH": (*API).updateToxic, "DELETE": (*API).removeToxic}},
}

// Handles reports whether a request is one for Toxiproxy's API, if only by its path.
func (a *API) Handles(r *http.Request) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch first {
	case "version", "populate", "reset", "proxies":
		return true
	case "metrics":
		return a.options.Metrics != nil
	}
	return false
}

// match returns a path's route, and what stands for the wildcards.
func match(path string) (rt route, names [2]string, ok bool) {
	segments := strings.Split(path, "/")
	for _, rt := range routes {
		words := strings.Split(rt.path, "/")
		if len(words) != len(segments) {
			continue
		}
		n, fits := 0, true
		for i, word := range words {
			switch {
			case word == "*" && segments[i] != "":
				names[n] = segments[i]
				n++
			case word != segments[i]:
				fits = false
			}
		}
		if fits {
			return rt, names, true
		}
	}
	return route{}, names, false
}

// ServeHTTP answers a request, if it may be.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rt, names, ok := match(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	handle, ok := rt.methods[r.Method]
	if !ok {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("X-Toxiproxy-Request-Id", strings.ToLower(rand.Text()[:20]))
	if fromBrowser(r) {
		http.Error(w, "User agent not allowed", http.StatusForbidden)
		return
	}
	patience := http.NewResponseController(w)
	patience.SetReadDeadline(time.Now().Add(bodyPatience))
	patience.SetWriteDeadline(time.Now().Add(answerPatience))
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := handle(a, w, r, names[0], names[1]); err != nil {
		writeError(w, err)
	}
}

// fromBrowser reports whether a browser has sent the request. Any Host passes here, as clients in compose files need it to, so that this
// is what protects from pages that a browser shows; no client of Toxiproxy's sends these headers.
func fromBrowser(r *http.Request) bool {
	for _, name := range []string{"Origin", "Sec-Fetch-Site", "Sec-Fetch-Dest"} {
		if len(r.Header.Values(name)) > 0 {
			return true
		}
	}
	return strings.HasPrefix(r.UserAgent(), "Mozilla/")
}

// by returns who asks, as events tell it.
func by(r *http.Request) string {
	const most = 100
	name := cmp.Or(r.Header.Get("Chaosgate-By"), r.UserAgent(), "toxiproxy")
	name = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '\ufffd' {
			return -1
		}
		return c
	}, name)
	return strings.ToValidUTF8(name[:min(len(name), most)], "")
}

func (a *API) version(w http.ResponseWriter, _ *http.Request, _, _ string) error {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	fmt.Fprintf(w, "{\"version\": %q}\n", a.options.Version)
	return nil
}

func (a *API) metrics(w http.ResponseWriter, r *http.Request, _, _ string) error {
	if a.options.Metrics == nil {
		http.NotFound(w, r)
		return nil
	}
	a.options.Metrics.ServeHTTP(w, r)
	return nil
}

// An apiError is an error with its status.
type apiError struct {
	Message string `json:"error"`
	Status  int    `json:"status"`
}

func (e *apiError) Error() string { return e.Message }

func failed(status int, format string, args ...any) *apiError {
	return &apiError{fmt.Sprintf(format, args...), status}
}

// The errors that clients compare.
var (
	errNoProxy     = &apiError{"proxy not found", http.StatusNotFound}
	errProxyTaken  = &apiError{"proxy already exists", http.StatusConflict}
	errStream      = &apiError{"stream was invalid, can be either upstream or downstream", http.StatusBadRequest}
	errType        = &apiError{"invalid toxic type", http.StatusBadRequest}
	errNoToxic     = &apiError{"toxic not found", http.StatusNotFound}
	errToxicTaken  = &apiError{"toxic already exists", http.StatusConflict}
	badBody        = func(err error) *apiError { return failed(http.StatusBadRequest, "bad request body: %v", err) }
	statusesByCode = map[hub.Code]int{
		hub.Invalid: http.StatusBadRequest, hub.Unable: http.StatusInternalServerError, hub.Forbidden: http.StatusForbidden,
		hub.Gone: http.StatusServiceUnavailable, hub.Failed: http.StatusInternalServerError,
	}
)

// apiErrorOf returns an error of the hub's as one of this API.
func apiErrorOf(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return &apiError{e.Error(), http.StatusInternalServerError}
	}
	if e, ok := errors.AsType[*hub.Error](err); ok {
		switch {
		case e.Code == hub.Unknown && e.Path == "gate":
			return errNoProxy
		case e.Code == hub.Unknown:
			return errNoToxic
		case e.Code == hub.Taken && e.Path == "name":
			return errProxyTaken
		case e.Code == hub.Taken:
			return errToxicTaken
		case e.Path == "server": // which clients call by another name
			return &apiError{"upstream" + strings.TrimPrefix(e.Error(), "server"), http.StatusBadRequest}
		}
		return &apiError{e.Error(), cmp.Or(statusesByCode[e.Code], http.StatusInternalServerError)}
	}
	return &apiError{err.Error(), http.StatusInternalServerError}
}

// writeError writes an error as JSON that is called text.
func writeError(w http.ResponseWriter, err error) {
	e := apiErrorOf(err)
	body, _ := json.Marshal(e) // it is made of strings
	http.Error(w, string(body), e.Status)
}

// writeJSON writes an answer.
func writeJSON(w http.ResponseWriter, status int, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // that nobody takes it is nothing to be told
	return nil
}

// decode reads the first JSON value of a body.
func decode(body io.Reader, into any) error {
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return badBody(err)
	}
	return nil
}
