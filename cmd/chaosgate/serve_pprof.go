package main

import (
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
)

// profiles shows profiles of the daemon.
//
// They are for whoever sits at this machine. A page in their browser is kept away by what browsers say of themselves, and by the name
// under which it has found its way here.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", forbidden) // it may hold a token
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol) // go tool pprof asks so
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site")
		if !isLoopbackHost(r.Host) || r.Header.Get("Origin") != "" || site != "" && site != "none" && site != "same-origin" {
			forbidden(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func forbidden(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "forbidden", http.StatusForbidden)
}

// isLoopbackHost reports whether a Host header calls this machine by its own address, or localhost.
func isLoopbackHost(host string) bool {
	if at, err := netip.ParseAddrPort(host); err == nil {
		return at.Addr().Unmap().IsLoopback()
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	name, _, err := net.SplitHostPort(host)
	return host == "localhost" || err == nil && name == "localhost"
}
