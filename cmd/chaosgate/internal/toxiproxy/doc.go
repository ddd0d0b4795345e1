// Package toxiproxy answers Toxiproxy's HTTP API over a hub: clients that were written for Toxiproxy work unchanged.
//
//	api := toxiproxy.New(hub, toxiproxy.Options{Version: "2.12.0"})
//	if api.Handles(r) {
//		api.ServeHTTP(w, r)
//	}
//
// A proxy is a gate, and a toxic is a fault of it with the toxic's name as its id: what is made here is seen in the native API, and the other
// way round. Two toxics are made of two faults, one of which has a name that ends in ".idle" or ".stall". A fault that is like no toxic is not shown as one.
//
// What a client can say that a gate does not know, such as a toxicity of 7 or a stream written in capitals, is remembered here as
// long as the toxic is what it was.
package toxiproxy
