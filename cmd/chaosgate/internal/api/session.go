package api

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/chaosgate/chaos/status"
)

// codePatience is how long a link to the console can be followed.
const codePatience = 10 * time.Minute

// sessions are who may use the API from a browser: the console, in a browser that has been let in.
//
// What lets a browser in is a cookie that no page but the console's own gets sent along: it is SameSite=Strict, and beside it what a request says of the
// page that it comes from is looked at. All browsers that were let in have the same one, which is drawn when the daemon starts.
type sessions struct {
	secret string

	mu    sync.Mutex           // guards what follows; held shortly
	codes map[string]time.Time // of links that nobody has followed, and when they end
}

func newSessions() *sessions {
	return &sessions{secret: rand.Text(), codes: map[string]time.Time{}}
}

// newCode returns the code of a new link.
func (s *sessions) newCode(now time.Time) (code string, till time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for code, till := range s.codes {
		if now.After(till) {
			delete(s.codes, code)
		}
	}
	code, till = rand.Text(), now.Add(codePatience)
	s.codes[code] = till
	return code, till
}

// take reports whether a code is good, which it is once.
func (s *sessions) take(code string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	till, ok := s.codes[code]
	delete(s.codes, code)
	return ok && now.Before(till)
}

// cookieName returns the name of the cookie at the address that a request was sent to: browsers keep cookies by host, and there may be
// other daemons at other ports of it.
func cookieName(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	return "chaosgate-" + port
}

// has reports whether a request carries the cookie.
func (s *sessions) has(r *http.Request) bool {
	for _, c := range r.CookiesNamed(cookieName(r)) {
		if subtle.ConstantTimeCompare([]byte(c.Value), []byte(s.secret)) == 1 {
			return true
		}
	}
	return false
}

// isConsole reports whether a request comes from the console in a browser that was let in. Where browsers say which page a request comes from it
// has to be one of this origin; what changes something says so always.
func (s *sessions) isConsole(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" && r.Method != http.MethodGet && r.Method != http.MethodHead || origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host {
		return false
	}
	return s.has(r)
}

// consolePath reports whether a path is the console's.
func consolePath(path string) bool { return path == "/" || strings.HasPrefix(path, "/console/") }

// serveConsole answers what a browser shows. Who sees the page may use the API from then on: whoever is on this machine if there is no
// token, and who has followed a link that somebody with the token has asked for.
func (a *api) serveConsole(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" { // there is nothing in its files to be kept from anybody
		a.options.Console.ServeHTTP(w, r)
		return
	}
	if p := a.refuseRemote(r); p != nil {
		refuse(w, p)
		return
	}
	code := r.URL.Query().Get("code")
	switch {
	case a.sessions.has(r):
	case a.options.Token == "", code != "" && a.sessions.take(code, time.Now()):
		http.SetCookie(w, &http.Cookie{
			Name: cookieName(r), Value: a.sessions.secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
		})
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, notLetIn)
		return
	}
	a.options.Console.ServeHTTP(w, r)
}

// notLetIn is what a browser shows that was not let in. The link is for one that was, but came here from another page: then the cookie stays behind.
const notLetIn = `<!doctype html>
<html lang="en">
<title>chaosgate</title>
<h1>This console needs a link of its own</h1>
<p>The daemon was started with a token. Where it is known, this prints a link that lets a browser in, once:</p>
<pre>chaosgate console</pre>
<p>If this browser was let in before: <a href="/">go on</a>.</p>
</html>
`

// isRemote reports whether a request comes from another machine.
func isRemote(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err != nil || !from.Addr().Unmap().IsLoopback()
}

func (a *api) consoleRoutes() {
	if a.options.Console != nil {
		a.mux.HandleFunc("GET /{$}", a.serveConsole)
		a.mux.HandleFunc("GET /console/", a.serveConsole)
	}
	route(a, http.MethodPost, "/v1/console", "open-console", "Make a link that lets a browser into the console, once", func(context.Context, *struct{}) (*answer[status.Console], error) {
		switch {
		case a.options.Console == nil:
			return nil, newProblem(http.StatusNotFound, "unknown", "", "this daemon has no console")
		case a.options.Token == "":
			return answered(status.Console{Path: "/"}, nil)
		}
		code, till := a.sessions.newCode(time.Now())
		return answered(status.Console{Path: "/?code=" + code, Till: till}, nil)
	})
}
