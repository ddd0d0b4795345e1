package main

import "context"

// dropIn is chaosgate in the place of Toxiproxy's server: started by its flags, and driven by its API.
var dropIn = contender{
	name:  "drop-in",
	about: "chaosgate with Toxiproxy's flags, `-host` and `-port`, built from this tree; it logs nothing but where it listens",
	can:   func(f fault) bool { return f.toxic != "" },
	find:  chaosgate.find,
	start: func(ctx context.Context, s site) (*running, error) {
		return startToxiproxy(ctx, s, "chaosgate")
	},
	gate: true,
}
