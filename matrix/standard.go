package matrix

import (
	"math"
	"time"

	"github.com/chaosgate/chaos"
)

// Standard are the conditions that every client meets sooner or later.
var Standard = []Condition{
	{
		Name: "hold", Group: "doors", Door: chaos.Hold,
		Help: "The server is overloaded and accepts nobody: connects succeed, and nothing answers.",
	},
	{
		Name: "refuse", Group: "doors", Door: chaos.Refuse,
		Help: "The server is not running: connects are refused.",
	},
	{
		Name: "blackhole", Group: "doors", Door: chaos.Blackhole,
		Help: "The host is gone, or a firewall drops: connects are not answered.",
	},
	{
		Name: "close", Group: "endings", End: chaos.FullClose,
		Help: "The server restarts or sheds load: all connections are closed.",
	},
	{
		Name: "reset", Group: "endings", End: chaos.RST,
		Help: "The server has crashed, or a middlebox has forgotten its connections: all are reset.",
	},
	{
		Name: "close_on_data", Group: "endings", Faults: []chaos.Fault{chaos.CloseOnData{}}, Directions: []Direction{ToServer, ToClient},
		Help: "A side closes when it receives data: each connection is closed by the first byte.",
	},
	{
		Name: "cut", Group: "endings", Scaled: cut, Directions: []Direction{ToClient},
		Help: "The server crashes while it answers: the connection is reset after a third of the answer.",
	},
	{
		Name: "lifetime", Group: "endings", Scaled: shortLife, Directions: []Direction{Both},
		Help: "A provider limits how long a connection lives: each is closed when it gets old.",
	},
	{
		Name: "idle_limit", Group: "endings", Faults: []chaos.Fault{chaos.Idle{For: idleLimit}}, Directions: []Direction{Both},
		Moments: []Moment{Idle}, Ripens: idleLimit,
		Help: "A provider closes connections that are idle.",
	},
	{
		Name: "stall", Group: "silence", Faults: []chaos.Fault{chaos.Stall{}},
		Help: "A side does not read: overload, a deadlock.",
	},
	{
		Name: "discard", Group: "silence", Faults: []chaos.Fault{chaos.Discard{}},
		Help: "A side reads and never answers: overload, a deadlock in a handler.",
	},
	{
		Name: "vanish", Group: "silence", Faults: []chaos.Fault{chaos.Vanish{}},
		Help: "A partition: nothing passes, not even the end of a connection, and nobody is told.",
	},
	{
		Name: "delay_2x", Group: "slowness", Scaled: delayed(2),
		Help: "The network is slow: everything comes later, by twice what a healthy exchange takes.",
	},
	{
		Name: "delay_10x", Group: "slowness", Scaled: delayed(10),
		Help: "The network is very slow: everything comes later, by ten times what a healthy exchange takes.",
	},
	{
		Name: "delay_2s", Group: "slowness", Faults: []chaos.Fault{chaos.Delay{By: 2 * time.Second}}, Grace: 20 * time.Second,
		Help: "The network is nearly unusable: everything comes two seconds later.",
	},
	{
		Name: "bandwidth", Group: "slowness", Scaled: narrow, Grace: 20 * time.Second,
		Help: "The line is thin: a tenth of what a healthy exchange moves in a second.",
	},
	{
		Name: "slice", Group: "chunks", Scaled: sliced,
		Help: "Data arrives in slices: one byte at a time.",
	},
	{
		Name: "concat", Group: "chunks", Faults: []chaos.Fault{chaos.Concat{Size: 64 << 10, Within: 50 * time.Millisecond}},
		Help: "Data arrives in lumps: what was sent apart comes at once.",
	},
	{
		Name: "corrupt", Group: "damage", Faults: []chaos.Fault{chaos.Corrupt{Rate: 0.01}},
		Help: "Bytes are corrupted, one in a hundred: broken memory, a broken middlebox.",
	},
}

const idleLimit = 100 * time.Millisecond

// cut resets the connection after a third of an answer: what is left of it when half has passed is more than that.
func cut(b Baseline, _ chaos.Direction) []chaos.Fault {
	return []chaos.Fault{chaos.Limit{Bytes: max(1, b.ToClient/max(1, b.Conns)/3), Reset: true}}
}

// sliced sends single bytes, so far apart that a reader sees each by itself (the kernel would join what is unread), if
// that does not take longer than two seconds.
func sliced(b Baseline, d chaos.Direction) []chaos.Fault {
	gap := min(200*time.Microsecond, 2*time.Second/time.Duration(max(1, b.bytes(d))))
	return []chaos.Fault{chaos.Slice{Size: 1, Gap: round(gap)}}
}

// shortLife has connections live half as long as an exchange needs them.
func shortLife(b Baseline, _ chaos.Direction) []chaos.Fault {
	return []chaos.Fault{chaos.Lifetime{For: max(100*time.Microsecond, round(time.Duration(b.Alive)/2))}}
}

// delayed delays everything by so many times what a healthy exchange takes.
func delayed(times time.Duration) func(Baseline, chaos.Direction) []chaos.Fault {
	return func(b Baseline, _ chaos.Direction) []chaos.Fault {
		return []chaos.Fault{chaos.Delay{By: max(100*time.Microsecond, round(times*time.Duration(b.Took)))}}
	}
}

// narrow lets a tenth through of what a healthy exchange moves in a second.
func narrow(b Baseline, d chaos.Direction) []chaos.Fault {
	rate := float64(b.bytes(d)) / max(time.Duration(b.Took).Seconds(), 1e-6) / 10
	// A burst of one byte makes even a short message late.
	return []chaos.Fault{chaos.Bandwidth{Rate: max(1, int64(twoDigits(rate))), Burst: 1}}
}

// bytes returns how many bytes an attempt moves one way.
func (b Baseline) bytes(d chaos.Direction) int64 {
	if d == chaos.ToServer {
		return b.ToServer
	}
	return b.ToClient
}

// round returns a duration with two digits, so that two baselines that are alike have the same conditions.
func round(d time.Duration) time.Duration { return time.Duration(twoDigits(float64(d))) }

// twoDigits rounds a number to two digits.
func twoDigits(x float64) float64 {
	if x <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Round(x/unit) * unit
}
