package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
)

// proxySeries are what dashboards for Toxiproxy look at. Both tell what was delivered: what a toxic has taken was not received.
var proxySeries = [2]string{"toxiproxy_proxy_received_bytes_total", "toxiproxy_proxy_sent_bytes_total"}

var proxyLabels = []string{"direction", "listener", "proxy", "upstream"}

const proxyHelp = "Bytes delivered, those of open connections included, by the names that Toxiproxy has for it."

// collectProxy tells what a gate has delivered in a direction as though it were a proxy of Toxiproxy's.
func (c *collector) collectProxy(f hub.Figures, direction string, value int64, to chan<- prometheus.Metric) {
	stream := "upstream"
	if direction == chaos.ToClient.String() {
		stream = "downstream"
	}
	for _, desc := range c.proxy {
		to <- prometheus.MustNewConstMetric(desc, counter, float64(value), stream, f.Listen, f.Gate, f.Server)
	}
}
