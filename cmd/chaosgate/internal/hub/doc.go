// Package hub keeps gates by name for all who ask: it creates, changes, heals and removes them, has what they were asked for lifted when
// its time or its lease is over, tells what happens as one stream of events, and keeps it all in a file if it is told to.
//
//	h, err := hub.New(hub.Options{})
//	gate, err := h.Create("me", spec.Gate{Name: "redis", Listen: "127.0.0.1:26379", Server: "127.0.0.1:6379"})
//	slow, err := h.Add("me", hub.Where{Gate: "redis", Direction: chaos.ToClient}, spec.EntriesOf(chaos.Delay{By: time.Second}))
//	healed, err := h.Heal("me", "")
//
// It knows no HTTP: the APIs, the command line and the metrics stand on it.
//
// All methods may be called by any goroutine. The locks in here are held while maps are looked at and never while a flow changes, an
// address is bound, a file is written or a peer is waited for; changes of the same gate's address wait for one another (see claim).
// What a fault is asked to do, and since when, is the library's to know; what is kept in here is what the library does not know: the
// fault's id, who has asked for it and until when it holds.
package hub
