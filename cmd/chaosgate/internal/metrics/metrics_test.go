package metrics

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

var update = flag.Bool("update", false, "rewrite the golden file to what is told now")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// figures are a hub that has these.
type figures []hub.Figures

func (f figures) Figures() []hub.Figures { return f }
func (figures) Version() status.Version {
	return status.Version{Version: "v1.2.3", Go: "go1.26", System: "linux/amd64", Boot: "B"}
}

var born = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// some are figures in which no two numbers are the same.
func some() figures {
	bounds := []float64{.001, .01, .1}
	return figures{
		{
			Gate: "dns", Network: "udp", Listen: "127.0.0.1:5353", Server: "127.0.0.1:53", Since: born,
			Stats: chaos.Stats{
				Accepted: 1, Opened: 2, Live: 3, Closed: map[string]int64{"gate": 4}, DialErrors: 5, AcceptErrors: 6, ToServer: 7, ToClient: 8,
				Dropped: 9, Held: 10, WindowFull: 11, EventsLost: 12, DatagramsToServer: 13, DatagramsToClient: 14, Lost: 15, Overflowed: 16,
				KernelDrops: 17, Refused: 18, SendErrors: 19,
			},
			Dials: hub.DialTimes{Bounds: bounds, Counts: []uint64{20, 21, 22}, Count: 23, Sum: 2.4},
		},
		{
			Gate: `two "words"\`, Network: "tcp", Listen: "127.0.0.1:26379", Server: "127.0.0.1:6379", Since: born,
			Stats: chaos.Stats{Accepted: 30, Opened: 31, Closed: map[string]int64{"client": 32, "close": 33}, ToServer: 1 << 40},
			Hits: map[hub.HitKey]int64{
				{Direction: chaos.ToServer, Kind: "delay"}: 34, {Direction: chaos.ToClient, Kind: "delay"}: 35, {Direction: chaos.ToClient, Kind: "close"}: 36,
			},
			Dials: hub.DialTimes{Bounds: bounds, Counts: make([]uint64, 3)},
		},
	}
}

// scrape returns the lines about chaosgate that a handler answers.
func scrape(t *testing.T, h http.Handler) []string {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("got status %d: %s", answer.Code, answer.Body)
	}
	var lines []string
	for line := range strings.Lines(answer.Body.String()) {
		if strings.Contains(line, "chaosgate_") || strings.Contains(line, "toxiproxy_") {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestExposition(t *testing.T) {
	const name = "testdata/metrics.txt"
	got := strings.Join(scrape(t, Handler(some(), Everything)), "")
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("not as in %s (-want +got; -update rewrites it):\n%s", name, diff)
	}
}

func TestConventions(t *testing.T) {
	families, err := registry(some(), Everything).Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	has := map[string]bool{}
	for _, family := range families {
		has[family.GetName()] = true
	}
	for _, name := range []string{"go_goroutines", "process_start_time_seconds"} {
		if !has[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestManualNamesAll compares the manual's table with what there is.
func TestManualNamesAll(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "daemon.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := func(name, kind, help string, labels ...string) {
		t.Helper()
		for i, label := range labels {
			labels[i] = "`" + label + "`"
		}
		want := fmt.Sprintf("| `chaosgate_%s` | %s | %s | %s |\n", name, kind, strings.Join(labels, ", "), strings.TrimSuffix(help, "."))
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/daemon.md lacks the row\n%s", want)
		}
	}
	for _, s := range allSeries {
		kind := map[bool]string{true: "counter", false: "gauge"}[s.kind == counter]
		row(s.name, kind, s.help, append([]string{"gate"}, s.labels...)...)
	}
	row(dialDuration, "histogram", dialDurationHelp, "gate")
	row("build_info", "gauge", buildHelp, "version", "goversion", "system")
	row("gates", "gauge", gatesHelp)
	for _, name := range proxySeries {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/daemon.md lacks %s", name)
		}
	}
	if got, want := strings.Count(string(page), "\n| `chaosgate_"), len(allSeries)+3; got != want {
		t.Errorf("docs/daemon.md has %d rows about metrics, want %d", got, want)
	}
}

func TestCountersNeverFall(t *testing.T) {
	all := figures{{Gate: "a", Network: "tcp", Since: born, Stats: chaos.Stats{ToServer: 1000, Live: 5}}}
	h := Handler(&all, Everything)
	look := func(name string, bytes, live int64, since time.Time, want string) {
		t.Helper()
		all[0].Stats.ToServer, all[0].Stats.Live, all[0].Since = bytes, int(live), since
		got := strings.Join(scrape(t, h), "")
		for _, line := range strings.Split(want, "\n") {
			if !strings.Contains(got, line+"\n") {
				t.Errorf("%s: got\n%s\nwant %s in it", name, got, line)
			}
		}
	}
	const delivered, live = `chaosgate_delivered_bytes_total{direction="to_server",gate="a"} `, `chaosgate_connections{gate="a"} `
	look("at first", 1000, 5, born, delivered+"1000\n"+live+"5")
	look("a reset has made bytes undelivered", 900, 4, born, delivered+"1000\n"+live+"4")
	look("others were delivered", 1001, 3, born, delivered+"1001\n"+live+"3")
	look("another gate of the name", 7, 1, born.Add(1), delivered+"7\n"+live+"1")
	all = all[:0]
	if got := strings.Join(scrape(t, h), ""); strings.Contains(got, `gate="`) {
		t.Errorf("the gate is gone: got\n%s\nwant nothing about it", got)
	}
}

func TestOfALiveHub(t *testing.T) {
	server := echoServer(t)
	h, err := hub.New(hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	g, err := h.Create("", spec.Gate{Name: "echo", Server: server, ToClient: spec.EntriesOf(chaos.Delay{By: time.Millisecond})})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", g.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	handler := Handler(h, Everything)
	for _, bytes := range []string{"5", "10"} { // the connection stays open
		if _, err := io.WriteString(conn, "hello"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		await(t, handler,
			`chaosgate_delivered_bytes_total{direction="to_server",gate="echo"} `+bytes,
			`chaosgate_delivered_bytes_total{direction="to_client",gate="echo"} `+bytes,
			`chaosgate_connections{gate="echo"} 1`,
			`chaosgate_dial_duration_seconds_count{gate="echo"} 1`,
			`chaosgate_fault_hits_total{direction="to_client",gate="echo",kind="delay"} `+map[string]string{"5": "1", "10": "2"}[bytes],
		)
	}
	conn.Close()
	await(t, handler, `chaosgate_connections{gate="echo"} 0`, `chaosgate_connections_closed_total{by="client",gate="echo"} 1`)
	if err := h.Remove("", "echo"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(scrape(t, handler), ""); strings.Contains(got, "echo") {
		t.Errorf("the gate is removed: got\n%s\nwant nothing about it", got)
	}
}

// await scrapes until all of the lines are there.
func await(t *testing.T, h http.Handler, lines ...string) {
	t.Helper()
	var got string
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late); time.Sleep(time.Millisecond) { // events are told later
		got = strings.Join(scrape(t, h), "")
		missing := false
		for _, line := range lines {
			missing = missing || !strings.Contains(got, line+"\n")
		}
		if !missing {
			return
		}
	}
	t.Fatalf("got\n%s\nwant in it\n%s", got, strings.Join(lines, "\n"))
}

// echoServer starts a server that sends back what it gets.
func echoServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func TestParts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		parts Parts
		want  map[string]bool
	}{
		{"the gates", Parts{Gates: true}, map[string]bool{"toxiproxy_proxy_sent_bytes_total": true, "go_goroutines": false}},
		{"the process", Parts{Runtime: true}, map[string]bool{"toxiproxy_proxy_sent_bytes_total": false, "go_goroutines": true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := httptest.NewRecorder()
			Handler(some(), tt.parts).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
			for name, want := range tt.want {
				if got := strings.Contains(answer.Body.String(), "\n"+name); got != want {
					t.Errorf("got %s: %t, want %t", name, got, want)
				}
			}
		})
	}
}
