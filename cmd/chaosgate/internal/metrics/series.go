package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
)

// A series is a metric that each gate has.
type series struct {
	name   string // behind chaosgate_
	help   string
	kind   prometheus.ValueType
	labels []string // beside gate
	only   string   // the beginning of the networks that have it; all if empty
	values func(f hub.Figures, add addValue)
}

// An addValue takes one value, and those of its labels.
type addValue func(value int64, labels ...string)

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// dialDuration is the one metric that is no number.
const (
	dialDuration     = "dial_duration_seconds"
	dialDurationHelp = "How long it took to reach the server, or to find that it cannot be reached."
)

// delivered is the series that Toxiproxy has as well.
const delivered = "delivered_bytes_total"

// allSeries are the metrics of a gate. The manual lists them in this order.
var allSeries = []series{
	{"connections_accepted_total", "Connections accepted from clients.", counter, nil, "", one(func(s chaos.Stats) int64 { return s.Accepted })},
	{"connections_opened_total", "Connections that are or were open through to the server.", counter, nil, "", one(func(s chaos.Stats) int64 { return s.Opened })},
	{"connections", "Connections that there are now.", gauge, nil, "", one(func(s chaos.Stats) int64 { return int64(s.Live) })},
	{"connections_closed_total", "Connections that have ended, by who has ended them: client, server, gate, dial or a kind of fault.", counter, []string{"by"}, "", closed},
	{"dial_errors_total", "Connections for which the server could not be reached.", counter, nil, "", one(func(s chaos.Stats) int64 { return s.DialErrors })},
	{"accept_errors_total", "Connections that could not be accepted, for want of descriptors say.", counter, nil, "", one(func(s chaos.Stats) int64 { return s.AcceptErrors })},
	{delivered, "Bytes delivered, those of open connections included.", counter, direction, "", both(
		func(s chaos.Stats) int64 { return s.ToServer }, func(s chaos.Stats) int64 { return s.ToClient },
	)},
	{"dropped_bytes_total", "Bytes that were under way when their connection ended.", counter, nil, "", one(func(s chaos.Stats) int64 { return s.Dropped })},
	{"held_bytes", "Bytes that the queues hold back now, with what it costs to keep them.", gauge, nil, "", one(func(s chaos.Stats) int64 { return s.Held })},
	{"window_full_total", "How often reading has stopped because the window or the memory was full.", counter, nil, "", one(func(s chaos.Stats) int64 { return s.WindowFull })},
	{"fault_hits_total", "How often faults of a kind have changed what would have happened, those that were lifted included.", counter, []string{"direction", "kind"}, "", hits},
	{"events_lost_total", "Events that were lost before they were told.", counter, nil, "", one(func(s chaos.Stats) int64 { return s.EventsLost })},
	{"delivered_datagrams_total", "Datagrams delivered.", counter, direction, "udp", both(
		func(s chaos.Stats) int64 { return s.DatagramsToServer }, func(s chaos.Stats) int64 { return s.DatagramsToClient },
	)},
	{"lost_datagrams_total", "Datagrams that faults or a door have thrown away.", counter, nil, "udp", one(func(s chaos.Stats) int64 { return s.Lost })},
	{"overflowed_datagrams_total", "Datagrams thrown away because the window or the memory was full.", counter, nil, "udp", one(func(s chaos.Stats) int64 { return s.Overflowed })},
	{"kernel_dropped_datagrams_total", "Datagrams that the kernel has dropped because a receive buffer of the gate was full.", counter, nil, "udp", one(func(s chaos.Stats) int64 { return s.KernelDrops })},
	{"refusals_total", "How often the server's host has said that nobody listens.", counter, nil, "udp", one(func(s chaos.Stats) int64 { return s.Refused })},
	{"send_errors_total", "Datagrams that the kernel has refused to send.", counter, nil, "udp", one(func(s chaos.Stats) int64 { return s.SendErrors })},
}

// direction is the label of what differs by it.
var direction = []string{"direction"}

// one returns the values of a series that has one for each gate.
func one(value func(chaos.Stats) int64) func(hub.Figures, addValue) {
	return func(f hub.Figures, add addValue) { add(value(f.Stats)) }
}

// both returns the values of a series that has one for each direction.
func both(toServer, toClient func(chaos.Stats) int64) func(hub.Figures, addValue) {
	return func(f hub.Figures, add addValue) {
		add(toServer(f.Stats), chaos.ToServer.String())
		add(toClient(f.Stats), chaos.ToClient.String())
	}
}

func closed(f hub.Figures, add addValue) {
	for by, n := range f.Stats.Closed {
		add(n, by)
	}
}

func hits(f hub.Figures, add addValue) {
	for key, n := range f.Hits {
		add(n, key.Direction.String(), key.Kind)
	}
}

// has reports whether gates of a network have the series.
func (s series) has(network string) bool { return strings.HasPrefix(network, s.only) }
