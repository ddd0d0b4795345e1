package reportsample

import "github.com/chaosgate/chaos/matrix"

// A condition is one of the made-up run, with what the client makes of it.
type condition struct {
	group, name, text, help string
	ways                    []matrix.Direction // all if nil
	when                    []matrix.Moment    // all if nil
	verdict                 matrix.Verdict
	but                     map[string]matrix.Verdict // of direction/moment
}

func (c condition) directions() []matrix.Direction {
	if c.ways == nil {
		return matrix.Directions
	}
	return c.ways
}

func (c condition) moments() []matrix.Moment {
	if c.when == nil {
		return matrix.Moments
	}
	return c.when
}

// comesOf returns the verdict on a cell.
func (c condition) comesOf(d matrix.Direction, m matrix.Moment) matrix.Verdict {
	if v, ok := c.but[string(d)+"/"+string(m)]; ok {
		return v
	}
	return c.verdict
}

var (
	whole     = []matrix.Direction{matrix.Both}
	toClient  = []matrix.Direction{matrix.ToClient}
	whileIdle = []matrix.Moment{matrix.Idle}
)

var conditions = []condition{
	{
		group: "doors", name: "hold", text: "door hold", ways: whole, verdict: matrix.Timeout,
		help: "The server is overloaded and accepts nobody: connects succeed, and nothing answers.",
	},
	{
		group: "doors", name: "refuse", text: "door refuse", ways: whole, verdict: matrix.Error,
		help: "The server is not running: connects are refused.",
		but:  map[string]matrix.Verdict{"both/idle": matrix.Storm},
	},
	{
		group: "doors", name: "blackhole", text: "door blackhole", ways: whole, verdict: matrix.Timeout,
		help: "The host is gone, or a firewall drops: connects are not answered.",
	},
	{
		group: "endings", name: "close", text: "close all", ways: whole, verdict: matrix.Error,
		help: "The server restarts or sheds load: all connections are closed.",
		but:  map[string]matrix.Verdict{"both/idle": matrix.OK},
	},
	{
		group: "endings", name: "reset", text: "reset all", ways: whole, verdict: matrix.Error,
		help: "The server has crashed, or a middlebox has forgotten its connections: all are reset.",
	},
	{
		group: "endings", name: "cut", text: "limit bytes=411 reset", ways: toClient, verdict: matrix.Error,
		help: "The server crashes while it answers: the connection is reset after a third of the answer.",
		but:  map[string]matrix.Verdict{"to_client/underway": matrix.Wrong},
	},
	{
		group: "endings", name: "idle_limit", text: "idle for=100ms", ways: whole, when: whileIdle, verdict: matrix.NoRecovery,
		help: "A provider closes connections that are idle.",
	},
	{
		group: "silence", name: "stall", text: "stall", verdict: matrix.Timeout,
		help: "A side does not read: overload, a deadlock.",
		but:  map[string]matrix.Verdict{"both/underway": matrix.Hang, "to_server/connecting": matrix.Skipped},
	},
	{
		group: "silence", name: "discard", text: "discard", verdict: matrix.Timeout,
		help: "A side reads and never answers: overload, a deadlock in a handler.",
		but:  map[string]matrix.Verdict{"to_server/underway": matrix.Hang},
	},
	{
		group: "slowness", name: "delay_10x", text: "delay by=34ms", verdict: matrix.Slow,
		help: "The network is very slow: everything comes later, by ten times what a healthy exchange takes.",
	},
	{
		group: "slowness", name: "delay_2s", text: "delay by=2s", verdict: matrix.Timeout,
		help: "The network is nearly unusable: everything comes two seconds later.",
	},
	{
		group: "slowness", name: "bandwidth", text: "bandwidth rate=36000 burst=1", verdict: matrix.OK,
		help: "The line is thin: a tenth of what a healthy exchange moves in a second.",
		but:  map[string]matrix.Verdict{"to_server/connecting": matrix.NotExercised, "to_client/idle": matrix.Slow},
	},
	{
		group: "chunks", name: "slice", text: "slice size=1 gap=200us", verdict: matrix.OK,
		help: "Data arrives in slices: one byte at a time.",
	},
	{
		group: "chunks", name: "concat", text: "concat size=64KiB within=50ms", verdict: matrix.OK,
		help: "Data arrives in lumps: what was sent apart comes at once.",
		but:  map[string]matrix.Verdict{"to_client/idle": matrix.NotExercised, "to_server/idle": matrix.NotExercised},
	},
	{
		group: "damage", name: "corrupt", text: "corrupt rate=1%", verdict: matrix.Wrong,
		help: "Bytes are corrupted, one in a hundred: broken memory, a broken middlebox.",
		but: map[string]matrix.Verdict{
			"to_server/connecting": matrix.Error, "to_server/idle": matrix.Error, "to_server/underway": matrix.NotExercised,
			"both/idle": matrix.Crash,
		},
	},
}
