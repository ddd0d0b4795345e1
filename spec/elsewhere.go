package spec

// elsewhere tells what faults are called here that go by another name in other tools, or in what people say.
var elsewhere = map[string]string{
	"blackhole":  "vanish",
	"freeze":     "stall",
	"jitter":     "delay",
	"lag":        "delay",
	"latency":    "delay",
	"limit_data": "limit",
	"partition":  "vanish",
	"rate":       "bandwidth",
	"reset":      "close reset",
	"reset_peer": "close reset",
	"slicer":     "slice",
	"throttle":   "bandwidth",
	"timeout":    "idle or discard",
}
