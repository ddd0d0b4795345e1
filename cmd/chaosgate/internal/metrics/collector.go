package metrics

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/status"
)

// A Source is whose figures are told: a [*hub.Hub].
type Source interface {
	Figures() []hub.Figures
	Version() status.Version
}

// Parts are what there is to be told.
type Parts struct {
	Gates   bool // the figures of the gates
	Runtime bool // those of the daemon's process and of its Go runtime
}

// Everything is all there is to be told.
var Everything = Parts{Gates: true, Runtime: true}

// Handler returns what answers a scrape.
func Handler(from Source, parts Parts) http.Handler {
	return promhttp.HandlerFor(registry(from, parts), promhttp.HandlerOpts{EnableOpenMetrics: true})
}

func registry(from Source, parts Parts) *prometheus.Registry {
	r := prometheus.NewRegistry()
	if parts.Gates {
		r.MustRegister(newCollector(from))
	}
	if parts.Runtime {
		r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	return r
}

// A collector makes metrics of a hub's figures.
type collector struct {
	from  Source
	descs []*prometheus.Desc // of allSeries, in their order
	dials *prometheus.Desc
	build *prometheus.Desc
	gates *prometheus.Desc
	proxy [2]*prometheus.Desc // what was received and what was sent, under Toxiproxy's names

	mu   sync.Mutex      // guards told
	told map[string]told // by gate
}

// told is what was told of a gate last.
type told struct {
	since time.Time
	most  map[string]int64 // of each counter, by its name and labels
}

func newCollector(from Source) *collector {
	c := &collector{
		from:  from,
		dials: describe(dialDuration, dialDurationHelp, "gate"),
		build: describe("build_info", buildHelp, "version", "goversion", "system"),
		gates: describe("gates", gatesHelp),
	}
	for i, name := range proxySeries {
		c.proxy[i] = prometheus.NewDesc(name, proxyHelp, proxyLabels, nil)
	}
	for _, s := range allSeries {
		c.descs = append(c.descs, describe(s.name, s.help, append([]string{"gate"}, s.labels...)...))
	}
	return c
}

const (
	buildHelp = "What the daemon is; always 1."
	gatesHelp = "Gates that there are now."
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("chaosgate_"+name, help, labels, nil)
}

// Describe tells which metrics there can be.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range append([]*prometheus.Desc{c.build, c.gates, c.dials, c.proxy[0], c.proxy[1]}, c.descs...) {
		to <- d
	}
}

// Collect tells the metrics.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock() // scrapes stand behind one another, so that none tells less than the one before it
	defer c.mu.Unlock()
	v := c.from.Version()
	to <- prometheus.MustNewConstMetric(c.build, gauge, 1, v.Version, v.Go, v.System)
	figures := c.from.Figures()
	to <- prometheus.MustNewConstMetric(c.gates, gauge, float64(len(figures)))
	before := c.told
	c.told = make(map[string]told, len(figures))
	for _, f := range figures {
		t := before[f.Gate]
		if !t.since.Equal(f.Since) {
			t = told{f.Since, map[string]int64{}}
		}
		c.told[f.Gate] = t
		c.collect(f, t.most, to)
	}
}

// collect tells the metrics of a gate.
//
// A counter never falls, because Prometheus would take that for a new beginning and add all of it once more. What was delivered can: a
// reset makes bytes undelivered that were on their way. Until it has grown beyond what was told last, that is told again.
func (c *collector) collect(f hub.Figures, most map[string]int64, to chan<- prometheus.Metric) {
	for i, s := range allSeries {
		if !s.has(f.Network) {
			continue
		}
		s.values(f, func(value int64, labels ...string) {
			if s.kind == counter {
				key := s.name + "\xff" + strings.Join(labels, "\xff")
				value = max(value, most[key])
				most[key] = value
				if s.name == delivered {
					c.collectProxy(f, labels[0], value, to)
				}
			}
			to <- prometheus.MustNewConstMetric(c.descs[i], s.kind, float64(value), append([]string{f.Gate}, labels...)...)
		})
	}
	buckets := make(map[float64]uint64, len(f.Dials.Bounds))
	for i, bound := range f.Dials.Bounds {
		buckets[bound] = f.Dials.Counts[i]
	}
	to <- prometheus.MustNewConstHistogram(c.dials, f.Dials.Count, f.Dials.Sum, buckets, f.Gate)
}
