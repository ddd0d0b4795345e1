package toxiproxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
)

// toxicsText returns a proxy's toxics as a client sees them.
func (r *rig) toxicsText(proxy string) string {
	r.t.Helper()
	var raw json.RawMessage
	r.ask("GET", "/proxies/"+proxy+"/toxics", http.StatusOK, &raw, "")
	return string(raw)
}

// TestSeenFromBothSides changes a gate through one API and looks at it through the other.
func TestSeenFromBothSides(t *testing.T) {
	r := newRig(t, Options{})
	to := hub.Where{Gate: "native", Direction: chaos.ToClient}
	if _, err := r.hub.Create("me", spec.Gate{Name: "native", Network: "udp", Server: "127.0.0.1:53", ToClient: spec.EntriesOf(chaos.Delay{By: time.Second}, chaos.Corrupt{})}); err != nil {
		t.Fatal(err)
	}
	shows := func(when, want string) {
		t.Helper()
		if diff := cmp.Diff(want, r.toxicsText("native")); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", when, diff)
		}
	}
	const latency = `{"attributes":{"latency":%d,"jitter":0},"name":"delay","type":"latency","stream":"downstream","toxicity":%s}`
	shows("made there", "["+fmt.Sprintf(latency, 1000, "1")+"]")
	r.ask("POST", "/proxies/native/toxics", http.StatusConflict, nil, `{"name":"corrupt","type":"latency"}`)
	r.ask("GET", "/proxies/native/toxics/corrupt", http.StatusNotFound, nil, "")

	r.ask("POST", "/proxies/native/toxics/delay", http.StatusOK, nil, `{"attributes":{"latency":7},"toxicity":0.25}`)
	f, err := r.hub.Fault(to, "delay")
	if err != nil || f.Text != "sometimes chance=25% group=delay delay by=7ms" {
		t.Errorf("changed here: got %q and %v", f.Text, err)
	}
	if _, err := r.hub.Change("me", to, "delay", into(chaos.Sometimes{Chance: 0.5, Fault: chaos.Delay{By: 9 * time.Millisecond}})); err != nil {
		t.Fatal(err)
	}
	shows("changed there", "["+fmt.Sprintf(latency, 9, "0.5")+"]")
	if _, err := r.hub.Change("me", to, "delay", into(chaos.Delay{By: 9 * time.Microsecond})); err != nil {
		t.Fatal(err)
	}
	shows("changed there into what no toxic is", "[]")

	r.ask("POST", "/proxies/native/toxics", http.StatusOK, nil, `{"type":"timeout","name":"t","stream":"DownStream","toxicity":3,"attributes":{"timeout":5}}`)
	shows("made here", `[{"attributes":{"timeout":5},"name":"t","type":"timeout","stream":"DownStream","toxicity":3}]`)
	list, err := r.hub.Faults(to)
	if err != nil || len(list) != 4 || list[2].ID != "t.idle" || list[2].Text != "idle for=5ms" || list[3].ID != "t" || list[3].Text != "discard" {
		t.Errorf("made here: got %v and %v", list, err)
	}
	if _, err := r.hub.Lift("me", to, "t.idle"); err != nil {
		t.Fatal(err)
	}
	shows("a part of it lifted there", `[{"attributes":{"timeout":0},"name":"t","type":"timeout","stream":"downstream","toxicity":1}]`)
	if _, err := r.hub.Heal("me", "native"); err != nil {
		t.Fatal(err)
	}
	shows("healed there", "[]")
}

// TestResetHealsAndStarts has /reset undo what either API has done.
func TestResetHealsAndStarts(t *testing.T) {
	r := newRig(t, Options{})
	r.toxic(`{"type":"latency","attributes":{"latency":60000}}`)
	if _, err := r.hub.Add("me", hub.Where{Gate: "p", Direction: chaos.ToServer}, spec.EntriesOf(chaos.Corrupt{})); err != nil {
		t.Fatal(err)
	}
	r.ask("POST", "/proxies/p", http.StatusOK, nil, `{"enabled":false}`)
	r.ask("POST", "/reset", http.StatusNoContent, nil, "")
	if g, err := r.hub.Gate("p"); err != nil || g.Stopped || len(g.ToClient)+len(g.ToServer) > 0 {
		t.Errorf("got %+v and %v, want it as it was at first", g, err)
	} else if g.Listen != r.listen {
		t.Errorf("it listens on %s, want %s as before", g.Listen, r.listen)
	}
	client, server := r.connect()
	r.passes(client, server, "ab")
	r.passes(server, client, "cd")
}

// TestKeptOverARestart reads toxics from a state file, where there is nothing but their faults.
func TestKeptOverARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	at := func(do func(*rig)) {
		h, err := hub.New(hub.Options{State: file})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		server, close := serve(New(h, Options{}))
		defer close()
		do(&rig{t: t, url: server, hub: h})
	}
	var was string
	at(func(r *rig) {
		r.ask("POST", "/proxies", http.StatusCreated, nil, `{"name":"p","listen":"127.0.0.1:0","upstream":"redis"}`)
		for _, body := range []string{
			`{"type":"latency","toxicity":0.3,"attributes":{"latency":5,"jitter":2}}`, `{"type":"bandwidth","attributes":{"rate":7}}`, `{"type":"bandwidth","name":"cut"}`,
			`{"type":"slow_close","attributes":{"delay":5}}`, `{"type":"timeout","toxicity":0.5,"attributes":{"timeout":5}}`, `{"type":"reset_peer","attributes":{"timeout":60000}}`,
			`{"type":"slicer","attributes":{"average_size":100,"size_variation":40,"delay":10}}`, `{"type":"limit_data","attributes":{"bytes":5}}`,
		} {
			r.ask("POST", "/proxies/p/toxics", http.StatusOK, nil, "%s", body)
		}
		was = r.toxicsText("p")
	})
	at(func(r *rig) {
		if diff := cmp.Diff(was, r.toxicsText("p")); diff != "" {
			t.Errorf("after a restart: (-before +after)\n%s", diff)
		}
		var p struct{ Upstream string }
		r.ask("GET", "/proxies/p", http.StatusOK, &p, "")
		if p.Upstream != "redis" {
			t.Errorf("got the upstream %q, want the one that has no port", p.Upstream)
		}
	})
}

// TestFaultsSayWhatToxicTheyAre makes toxics of all sorts, and reads them from their faults alone.
func TestFaultsSayWhatToxicTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string, least int64) int64 { return rapid.Int64Range(least, 1_000_000).Draw(t, name) }
		average := n("average_size", 1)
		asked := rapid.SampledFrom([]attributes{
			&LatencyToxic{n("latency", 0), n("jitter", 0)}, &BandwidthToxic{n("rate", 0)}, &SlowCloseToxic{n("delay", 1)}, &TimeoutToxic{n("timeout", 0)},
			&ResetToxic{n("timeout", 0)}, &SlicerToxic{average, rapid.Int64Range(0, average-1).Draw(t, "size_variation"), n("delay", 0)}, &LimitDataToxic{n("bytes", 0)},
		}).Draw(t, "attributes")
		toxicity := float32(rapid.IntRange(0, 100).Draw(t, "toxicity")) / 100
		for kind, begin := range types {
			if fmt.Sprintf("%T", begin()) != fmt.Sprintf("%T", asked) {
				continue
			}
			want := toxic{asked, "name", kind, "upstream", toxicity}
			m, err := want.faults()
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range m.entries("name") {
				if err := chaos.Check("tcp", e.Fault); err != nil {
					t.Fatalf("%+v became %s, which is refused: %v", want, spec.Text(e.Fault), err)
				}
			}
			got, ok := m.toxic("name", chaos.ToServer)
			if diff := cmp.Diff(want, got); diff != "" || !ok {
				t.Errorf("%t (-want +got)\n%s", ok, diff)
			}
		}
	})
}
