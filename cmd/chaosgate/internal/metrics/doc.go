// Package metrics tells a daemon's figures to Prometheus.
//
//	http.Handle("GET /metrics", metrics.Handler(hub, metrics.Everything))
//
// Nothing is counted here: each scrape reads what the gates have counted at that moment, those of open connections included. A gate's
// series are there as long as the gate is.
package metrics
