//go:build linux

package realservers

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/probe"
	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/sweep"
)

// reports is where the reports of real clients are written; without it each client meets a few conditions only.
var reports = flag.String("reports", "", "run the whole matrix and all sweeps of real clients, and write their reports to this `folder`")

// A subject is a client with the settings that it has by default, and what it is to do.
type subject struct {
	name, does string
	server     string
	open       func(ctx context.Context, addr string) (matrix.Probe, func(), error)
}

// goRedis reads a key.
func goRedis(t *testing.T, r *redisServer) subject {
	if err := r.connect(t).Set(t.Context(), "greeting", "hello", 0).Err(); err != nil {
		t.Fatal(err)
	}
	return subject{"go-redis", "reads a key, with go-redis and its default settings", r.addr, func(_ context.Context, addr string) (matrix.Probe, func(), error) {
		client := redis.NewClient(&redis.Options{Addr: addr})
		return func(ctx context.Context, _ string) (matrix.Answer, error) {
			value, err := client.Get(ctx, "greeting").Result()
			return matrix.Answer{Output: value}, err
		}, func() { client.Close() }, nil
	}}
}

// goRedisIncrements adds one to a counter that has the attempt's name.
func goRedisIncrements(t *testing.T, r *redisServer) (subject, func(context.Context, matrix.Attempt) error) {
	direct := r.connect(t)
	open := func(_ context.Context, addr string) (matrix.Probe, func(), error) {
		client := redis.NewClient(&redis.Options{Addr: addr})
		return func(ctx context.Context, _ string) (matrix.Answer, error) {
			n, err := client.Incr(ctx, matrix.AttemptID(ctx)).Result()
			return matrix.Answer{Output: fmt.Sprint(n)}, err
		}, func() { client.Close() }, nil
	}
	check := func(ctx context.Context, a matrix.Attempt) error {
		n, err := direct.Get(ctx, a.ID).Int()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		return once("the counter is", n, a)
	}
	return subject{"go-redis-incr", "adds one to a counter, with go-redis and its default settings", r.addr, open}, check
}

// once returns an error about something that was not done once, or was not done though it was said to be.
func once(what string, n int, a matrix.Attempt) error {
	if n > 1 || n == 0 && (a.Outcome == matrix.OK || a.Outcome == matrix.Slow) {
		return fmt.Errorf("%s %d", what, n)
	}
	return nil
}

// pgxPool asks for a number.
func pgxPool(p *postgres) subject {
	return subject{"pgx", "asks for a number, with pgxpool and its default settings", p.addr, func(_ context.Context, addr string) (matrix.Probe, func(), error) {
		pool, err := pgxpool.New(context.Background(), dsn(addr, "postgres"))
		if err != nil {
			return nil, nil, err
		}
		return func(ctx context.Context, _ string) (matrix.Answer, error) {
			var n int
			err := pool.QueryRow(ctx, "select 42").Scan(&n)
			return matrix.Answer{Output: fmt.Sprint(n)}, err
		}, pool.Close, nil
	}}
}

// orders makes a table for what is inserted, and returns a check that counts.
func orders(t *testing.T, p *postgres) func(context.Context, matrix.Attempt) error {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), dsn(p.addr, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(t.Context(), "create table if not exists orders (id text)"); err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, a matrix.Attempt) error {
		var n int
		if err := pool.QueryRow(ctx, "select count(*) from orders where id = $1", a.ID).Scan(&n); err != nil {
			return err
		}
		return once("rows:", n, a)
	}
}

// pgxInserts inserts a row in a transaction of its own, on a connection of its own.
func pgxInserts(p *postgres) subject {
	probe := func(ctx context.Context, addr string) (matrix.Answer, error) {
		conn, err := pgx.Connect(ctx, dsn(addr, "postgres"))
		if err != nil {
			return matrix.Answer{}, err
		}
		defer conn.Close(ctx)
		tx, err := conn.Begin(ctx)
		if err != nil {
			return matrix.Answer{}, err
		}
		if _, err := tx.Exec(ctx, "insert into orders values ($1)", matrix.AttemptID(ctx)); err != nil {
			return matrix.Answer{}, err
		}
		return matrix.Answer{Output: "done"}, tx.Commit(ctx)
	}
	return subject{"pgx-insert", "inserts a row and commits, with pgx and its default settings", p.addr, keepingNothing(probe)}
}

// keepingNothing returns what opens a client that keeps nothing.
func keepingNothing(p matrix.Probe) func(context.Context, string) (matrix.Probe, func(), error) {
	return func(context.Context, string) (matrix.Probe, func(), error) { return p, func() {}, nil }
}

// psycopg2 runs a program of Python's; what it does is its argument.
func psycopg2(t *testing.T, p *postgres, does, what string) subject {
	t.Helper()
	if out, err := exec.Command("/usr/bin/python3", "-c", "import psycopg2").CombinedOutput(); err != nil {
		t.Skipf("psycopg2 is missing: Debian package python3-psycopg2: %s", bytes.TrimSpace(out))
	}
	script, err := filepath.Abs(filepath.Join("testdata", "psycopg2_probe.py"))
	if err != nil {
		t.Fatal(err)
	}
	run, err := probe.Command("/usr/bin/python3 " + script + " " + what)
	if err != nil {
		t.Fatal(err)
	}
	return subject{"psycopg2-" + what, does + ", with psycopg2 and its default settings", p.addr, keepingNothing(run)}
}

// a thousand bytes are what the web server answers.
var thousand = strings.Repeat("0123456789abcdef", 64)

// netHTTP gets a page with Go's client.
func netHTTP(addr string) subject {
	return subject{"net-http", "gets 1 KiB, with Go's http.Client and a timeout of 5 s", addr, func(context.Context, string) (matrix.Probe, func(), error) {
		client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
		return func(ctx context.Context, addr string) (matrix.Answer, error) {
			r, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+"/", nil)
			if err != nil {
				return matrix.Answer{}, err
			}
			answer, err := client.Do(r)
			if err != nil {
				return matrix.Answer{}, err
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			return matrix.Answer{Output: string(body)}, err
		}, client.CloseIdleConnections, nil
	}}
}

const patience = 5 * time.Second

// curl gets a page.
func curl(t *testing.T, addr string) subject {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is missing: Debian package curl")
	}
	run, err := probe.Command("curl -sS --max-time 5 http://$CHAOSGATE_ADDR/")
	if err != nil {
		t.Fatal(err)
	}
	return subject{"curl", "gets 1 KiB, with curl", addr, keepingNothing(run)}
}

// tryMatrix runs a matrix of a client. What it meets is the client's; that it recovers once a condition is lifted is what is held to here, for a few
// conditions, unless reports are wanted.
func tryMatrix(t *testing.T, s subject) {
	t.Helper()
	run := &matrix.Run{Server: s.server, Open: s.open, Seed: 42, Subject: matrix.Subject{Name: s.name, Kind: "go", Probe: s.does}}
	if *reports == "" {
		run.Only = []string{"reset/both/connecting", "close/both/connecting", "delay_2x/to_client/connecting"}
	}
	r, err := run.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if *reports != "" {
		write(t, "matrix-"+s.name+".md", r.WriteMarkdown)
		write(t, "matrix-"+s.name+".html", r.WriteHTML)
		return
	}
	for _, c := range r.Cells {
		if c.Verdict.Bad() || c.Fired == 0 {
			t.Errorf("%s: %s, fired %d: %s", c.ID, c.Verdict.Words(), c.Fired, c.Says)
		}
	}
}

// trySweep sweeps a client: by the end of the stream, and with reports by all that can happen.
func trySweep(t *testing.T, s subject, check func(context.Context, matrix.Attempt) error) *sweep.Report {
	t.Helper()
	run := &sweep.Sweep{
		Run:   matrix.Run{Server: s.server, Open: s.open, Seed: 42, Subject: matrix.Subject{Name: s.name, Kind: "go", Probe: s.does}},
		Check: check,
	}
	if *reports != "" {
		run.Actions = sweep.Actions
	}
	r, err := run.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Runs == 0 || len(r.Strips) < 2 {
		t.Errorf("got %d points of %d strips, want some both ways", r.Runs, len(r.Strips))
	}
	if *reports != "" {
		write(t, "sweep-"+s.name+".md", r.WriteMarkdown)
	}
	return r
}

func write(t *testing.T, name string, form func(io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := form(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*reports, name), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMatrixOfRealClients(t *testing.T) {
	t.Run("go-redis", func(t *testing.T) { tryMatrix(t, goRedis(t, startRedis(t))) })
	t.Run("pgx", func(t *testing.T) { tryMatrix(t, pgxPool(startPostgres(t))) })
	t.Run("psycopg2", func(t *testing.T) {
		tryMatrix(t, psycopg2(t, startPostgres(t), "asks for a number", "select"))
	})
}

// TestSweepOfRealClients cuts what real clients say. That a client believes what was cut, or does a write twice that it was not asked to do twice, is a
// finding about it, which the manual tells; here it is held to that the points are met.
func TestSweepOfRealClients(t *testing.T) {
	t.Run("go-redis INCR", func(t *testing.T) {
		s, check := goRedisIncrements(t, startRedis(t))
		r := trySweep(t, s, check)
		// go-redis repeats what has failed three times by default, a write as well: so an increment whose answer is lost is done again.
		if wrong := ranges(r, "fin", matrix.Wrong); wrong == 0 {
			t.Errorf("got no range in which the counter was increased twice:\n%s", text(t, r))
		}
	})
	t.Run("pgx INSERT", func(t *testing.T) {
		p := startPostgres(t)
		noBad(t, trySweep(t, pgxInserts(p), orders(t, p)))
	})
	t.Run("psycopg2 INSERT", func(t *testing.T) {
		p := startPostgres(t)
		check := orders(t, p)
		noBad(t, trySweep(t, psycopg2(t, p, "inserts a row and commits", "insert"), check))
	})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, thousand) }))
	defer web.Close()
	addr := strings.TrimPrefix(web.URL, "http://")
	t.Run("net/http", func(t *testing.T) { noBad(t, trySweep(t, netHTTP(addr), nil)) })
	t.Run("curl", func(t *testing.T) { noBad(t, trySweep(t, curl(t, addr), nil)) })
}

// ranges counts the ranges of an action that have a verdict.
func ranges(r *sweep.Report, action string, v matrix.Verdict) (n int) {
	for _, s := range r.Strips {
		for _, one := range s.Ranges {
			if s.Action == action && one.Verdict == v {
				n++
			}
		}
	}
	return n
}

// noBad fails the test if the end of the stream at some point makes the client do what it must not.
func noBad(t *testing.T, r *sweep.Report) {
	t.Helper()
	strips, bad := r.BadRanges()
	for i, one := range bad {
		if strips[i].Action == "fin" {
			t.Errorf("%s: %s: %s", strips[i].ID(one), one.Verdict.Words(), one.Says)
		}
	}
}

func text(t *testing.T, r *sweep.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
