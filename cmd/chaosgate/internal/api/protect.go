package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// The headers of the daemon's own.
const (
	headerBy   = "Chaosgate-By"
	headerBoot = "Chaosgate-Boot"
)

// maxBody is how large a request's body may be.
const maxBody = 1 << 20

// ServeHTTP answers a request, if it may be.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b := a.options.Beside; b != nil && b.Handles(r) {
		if p := a.refuseToken(r); p != nil && !a.options.Open {
			refuse(w, p)
			return
		}
		b.ServeHTTP(w, r)
		return
	}
	w.Header().Set(headerBoot, a.hub.Boot())
	w.Header().Set("Cache-Control", "no-store")
	looks := []func(*http.Request) *Problem{a.refuseHost, a.refuseBrowser, a.refuseRemote, a.refuseToken}
	switch {
	case a.options.Console == nil:
	case consolePath(r.URL.Path): // which lets in whom it may
		looks = looks[:1]
	case a.sessions.isConsole(r):
		looks = []func(*http.Request) *Problem{a.refuseHost, a.refuseRemote}
	}
	for _, look := range looks {
		if p := look(r); p != nil {
			refuse(w, p)
			return
		}
	}
	if p := a.refuseRoute(w, r); p != nil {
		write(w, p)
		return
	}
	if p := a.refuseBoot(r); p != nil {
		write(w, p)
		return
	}
	patience := http.NewResponseController(w)
	patience.SetReadDeadline(time.Now().Add(bodyPatience))
	data, p := readBody(w, r)
	if p != nil {
		write(w, p)
		return
	}
	patience.SetReadDeadline(time.Time{}) // else it ends the context of an answer that waits
	patience.SetWriteDeadline(time.Now().Add(waitOf(r) + answerPatience))
	r.Body = io.NopCloser(bytes.NewReader(data))
	a.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, request{data, clean(r.Header.Get(headerBy))})))
}

// refuse answers a request that is not let in.
func refuse(w http.ResponseWriter, p *Problem) {
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="chaosgate"`)
	}
	write(w, p)
}

// refuseRemote refuses who is not on this machine, where nothing else would keep them out.
func (a *api) refuseRemote(r *http.Request) *Problem {
	if !a.options.Local || a.options.Token != "" || slices.Contains(public, r.URL.Path) {
		return nil
	}
	if !isRemote(r) {
		return nil
	}
	return newProblem(http.StatusForbidden, "forbidden", "", "without a token this API answers only the machine that it is on: $CHAOSGATE_TOKEN sets one")
}

// refuseHost refuses a request for a name that the daemon does not go by. A page that a browser has loaded can have its name resolve to the
// daemon's address, and is then of the same origin as the daemon: only the name gives it away.
func (a *api) refuseHost(r *http.Request) *Problem {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return nil
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || host != "" && slices.ContainsFunc(a.options.AllowHosts, func(name string) bool { return strings.EqualFold(name, host) }) {
		return nil
	}
	return newProblem(http.StatusForbidden, "forbidden", "Host", fmt.Sprintf("host: got %q, want localhost, an IP address or a name that --allow-host allows", r.Host))
}

// refuseBrowser refuses what a browser sends. Programs do not send these headers, but for Sec-Fetch-Mode.
func (a *api) refuseBrowser(r *http.Request) *Problem {
	for _, name := range []string{"Origin", "Sec-Fetch-Site", "Sec-Fetch-Dest"} {
		if len(r.Header.Values(name)) > 0 {
			return newProblem(http.StatusForbidden, "forbidden", name, "this API is not for browsers: got the header "+name)
		}
	}
	if strings.HasPrefix(r.UserAgent(), "Mozilla/") {
		return newProblem(http.StatusForbidden, "forbidden", "User-Agent", "this API is not for browsers: got a User-Agent that begins with Mozilla/")
	}
	return nil
}

// public are the routes that need no token: whoever starts a container asks there whether it is well.
var public = []string{"/healthz", "/readyz"}

// refuseToken refuses who does not have the token.
func (a *api) refuseToken(r *http.Request) *Problem {
	if a.options.Token == "" || slices.Contains(public, r.URL.Path) {
		return nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	is, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(a.options.Token))
	if strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(is[:], want[:]) == 1 {
		return nil
	}
	return newProblem(http.StatusUnauthorized, "unauthorized", "Authorization", "the daemon wants its token: Authorization: Bearer TOKEN")
}

// refuseRoute refuses paths and methods that there are not.
func (a *api) refuseRoute(w http.ResponseWriter, r *http.Request) *Problem {
	handler, pattern := a.mux.Handler(r)
	if pattern != "" {
		return nil
	}
	seen := &header{http.Header{}, 0}
	handler.ServeHTTP(seen, r)
	if seen.status == http.StatusMethodNotAllowed {
		allow := seen.header.Get("Allow")
		w.Header().Set("Allow", allow)
		return newProblem(http.StatusMethodNotAllowed, "no_method", "", fmt.Sprintf("%s: got %s, want %s", r.URL.Path, r.Method, allow))
	}
	return newProblem(http.StatusNotFound, "no_route", "", fmt.Sprintf("there is no %s here: GET /openapi.json tells what there is", r.URL.Path))
}

// A header is a ResponseWriter that keeps the header alone.
type header struct {
	header http.Header
	status int
}

func (h *header) Header() http.Header         { return h.header }
func (h *header) Write(p []byte) (int, error) { return len(p), nil }
func (h *header) WriteHeader(status int)      { h.status = status }

// refuseBoot refuses what was meant for a daemon that is not there any more.
func (a *api) refuseBoot(r *http.Request) *Problem {
	want := strings.Trim(strings.TrimPrefix(r.Header.Get("If-Match"), "W/"), `"`)
	if want == "" || want == "*" || want == a.hub.Boot() {
		return nil
	}
	return newProblem(http.StatusPreconditionFailed, "restarted", "If-Match", fmt.Sprintf("If-Match: got %s, but the daemon is %s: it was started anew, and what was imposed is not any more", clean(want), a.hub.Boot()))
}

// readBody reads a request's body, which is JSON if there is one.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *Problem) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, newProblem(http.StatusRequestEntityTooLarge, "too_large", "", fmt.Sprintf("got a body above %d bytes", maxBody))
	}
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, "malformed", "", "the body did not come: "+err.Error())
	}
	if len(data) == 0 {
		return nil, nil
	}
	switch kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case err == nil && (kind == "application/json" || kind == "application/merge-patch+json" && r.Method == http.MethodPatch):
		return data, nil
	default:
		return nil, newProblem(http.StatusUnsupportedMediaType, "not_json", "Content-Type", fmt.Sprintf("Content-Type: got %q, want application/json", r.Header.Get("Content-Type")))
	}
}

// A request is what has been read of one before its handler is called.
type request struct {
	body []byte
	by   string
}

type requestKey struct{}

func requestOf(ctx context.Context) request {
	r, _ := ctx.Value(requestKey{}).(request)
	return r
}

// by returns who asks.
func by(ctx context.Context) string { return requestOf(ctx).by }

// clean returns a text of a client's without what could do harm where it is shown, and not too much of it.
func clean(text string) string {
	const most = 200
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
