package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChangesAtOnce has several change one fault at once, each something else of it: every change counts.
func TestChangesAtOnce(t *testing.T) {
	d := newDaemon(t, Options{})
	d.must(t, 201, "POST", "/v1/gates", fmt.Sprintf(`{"name":"g","server":%q,"to_client":["delay by=1s"]}`, echoServer(t)))
	const path = "/v1/gates/g/to_client/delay"
	for round := range 100 {
		want := map[string]any{
			"by": fmt.Sprintf("%dms", 500+round), "jitter": fmt.Sprintf("%dms", 1+round), "distribution": []string{"normal", "pareto"}[round%2],
		}
		var all sync.WaitGroup
		for key, value := range want {
			all.Go(func() {
				if got := d.do(t, http.MethodPatch, path, fmt.Sprintf(`{"delay":{%q:%q}}`, key, value)); got.status != http.StatusOK {
					t.Errorf("got %d %s", got.status, got.body)
				}
			})
		}
		all.Wait()
		var got struct {
			Fault struct{ Delay map[string]any }
		}
		if err := json.Unmarshal([]byte(d.must(t, 200, "GET", path, "").body), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Fault.Delay); diff != "" {
			t.Fatalf("round %d (-want +got):\n%s", round, diff)
		}
	}
}
