// Package console serves the web console: a page for people who watch gates while a test runs.
//
//	mux.Handle("GET /{$}", console.Handler())
//	mux.Handle("GET /console/", console.Handler())
//
// It is static files and nothing else. The page speaks the daemon's HTTP API under /v1, as any other client does, so that whatever
// it can do, a program can do as well; who may use the API is decided there and not here.
//
// The page is written in web, on the libraries in vendored. Package generate bundles both into dist, which is committed and embedded, so that
// building the program takes Go alone. After a change in web:
//
//	go generate ./internal/console
package console

//go:generate go run ./generate
