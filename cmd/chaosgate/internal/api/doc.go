// Package api is the HTTP API of the daemon, over a [hub.Hub].
//
//	handler := api.New(h, api.Options{})
//	server := api.Server(handler)
//	err := server.Serve(listener)
//
// Requests and answers are JSON: what is asked is read by package spec, so that an error tells the path of the value that is wrong, and what
// is answered are the types of package status. Errors follow RFC 9457. The OpenAPI document is made from the same Go types as the routes,
// and stands in openapi.json; a test says when it has drifted.
//
// Every request passes, in this order: the Host header (against DNS rebinding), the marks of browsers (against pages that a developer has
// open), the token, the route, the boot id, the content type and size of the body. See protect.go.
package api
