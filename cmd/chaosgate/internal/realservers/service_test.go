//go:build linux

package realservers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
	"github.com/jackc/pgx/v5/pgxpool"
)

// TestServiceOverPostgres is the story that this project is for: a service with a database, what it answers while its
// database's connections close, and that it answers well again as soon as they are back.
func TestServiceOverPostgres(t *testing.T) {
	p := startPostgres(t)
	tests := []struct {
		name   string
		impose func(g *chaos.Gate) *chaos.Imposed
	}{
		{"when it asks", func(g *chaos.Gate) *chaos.Imposed { return g.ToServer.Add(chaos.CloseOnData{}) }},
		{"when it is answered", func(g *chaos.Gate) *chaos.Imposed { return g.ToClient.Add(chaos.CloseOnData{}) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			database := p.database(t)
			p.run(t, database, "create table greetings(n int primary key, body text)", "insert into greetings values (1, 'hello')")
			g := chaostest.NewGate(t, p.addr)
			service := httptest.NewServer(greetings(t, g.Addr(), database))
			t.Cleanup(service.Close)
			get := func(path string) (int, string) { return httpGet(t, service.Client(), service.URL+path) }

			want := func(status int, body string) {
				t.Helper()
				if gotStatus, got := get("/greetings/1"); gotStatus != status || (body != "" && got != body) {
					t.Errorf("got %d %q, want %d %q", gotStatus, got, status, body)
				}
			}
			want(http.StatusOK, "hello")

			closing := test.impose(g)
			want(http.StatusServiceUnavailable, "")
			want(http.StatusServiceUnavailable, "")
			chaostest.Fired(t, closing)

			closing.Lift()
			ctx, cancel := context.WithTimeout(t.Context(), recoversWithin)
			defer cancel()
			// The pool keeps two connections open, and opens them again by itself.
			if err := g.WaitConns(ctx, 2); err != nil {
				t.Fatalf("the service does not connect to its database again: %v", err)
			}
			want(http.StatusOK, "hello")
		})
	}
}

// greetings is a service that looks up greetings in its database.
func greetings(t *testing.T, addr, database string) http.Handler {
	t.Helper()
	pool := impatientPool(t, addr, database, func(config *pgxpool.Config) {
		config.MinConns, config.MaxConns = 2, 4
		config.HealthCheckPeriod = 20 * time.Millisecond
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /greetings/{n}", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		var body string
		if err := pool.QueryRow(ctx, "select body from greetings where n::text = $1", r.PathValue("n")).Scan(&body); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, body)
	})
	return mux
}

func httpGet(t *testing.T, client *http.Client, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
