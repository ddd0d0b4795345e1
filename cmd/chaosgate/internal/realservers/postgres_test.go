//go:build linux

package realservers

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A postgres is a PostgreSQL server of the test's own.
type postgres struct {
	addr   string // where it listens
	socket string // its unix socket
	bin    string // the folder of its programs
	made   atomic.Int64
}

// startPostgres starts PostgreSQL, or skips the test where it is not installed.
func startPostgres(t *testing.T) *postgres {
	t.Helper()
	notShort(t)
	bin := postgresPrograms(t)
	dir := folder(t)
	data := filepath.Join(dir, "data")
	init := command(t, dir, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", init, err, out)
	}
	addr := launch(t, dir, filepath.Join(bin, "postgres"), func(port string) []string {
		return []string{
			"-D", data, "-p", port, "-k", dir, "-c", "listen_addresses=127.0.0.1",
			"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200",
		}
	}, func(ctx context.Context, addr string) error {
		conn, err := pgx.Connect(ctx, dsn(addr, "postgres"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	}, syscall.SIGINT)
	_, port, _ := net.SplitHostPort(addr)
	return &postgres{addr: addr, socket: filepath.Join(dir, ".s.PGSQL."+port), bin: bin}
}

// postgresPrograms finds the folder with the programs of the newest PostgreSQL. Debian keeps them out of the PATH.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	var complete []string
	for _, name := range []string{"initdb", "postgres", "pgbench"} {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		for i := range found {
			found[i] = filepath.Dir(found[i])
		}
		if name == "initdb" {
			complete = found
		}
		complete = slices.DeleteFunc(complete, func(dir string) bool { return !slices.Contains(found, dir) })
	}
	if len(complete) == 0 {
		t.Skip("PostgreSQL is missing: Debian package postgresql")
	}
	slices.SortFunc(complete, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b) // 9.6 is older than 15
		}
		return strings.Compare(a, b)
	})
	return complete[len(complete)-1]
}

// database makes a new database and returns its name.
func (p *postgres) database(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test%d", p.made.Add(1))
	p.run(t, "postgres", "create database "+name)
	return name
}

// connect connects directly, until the test ends.
func (p *postgres) connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn(p.addr, database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) }) // the test's own context is over by then
	return conn
}

// run executes statements directly.
func (p *postgres) run(t *testing.T, database string, statements ...string) {
	t.Helper()
	_, err := withConn(t.Context(), dsn(p.addr, database), func(conn *pgx.Conn) (string, error) {
		for _, statement := range statements {
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				return "", fmt.Errorf("%s: %w", statement, err)
			}
		}
		return "", nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// waitAlone waits until a database has no session but the one given, so that nothing is under way any more.
func (p *postgres) waitAlone(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	until(t, 30*time.Second, "all other sessions end", func() bool {
		var others int
		err := conn.QueryRow(t.Context(), `select count(*) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`).Scan(&others)
		if err != nil {
			t.Fatal(err)
		}
		return others == 0
	})
}

// dsn tells pgx where to connect: to a TCP address, or to a unix socket named as PostgreSQL names its own.
func dsn(addr, database string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = filepath.Dir(addr), strings.TrimPrefix(filepath.Base(addr), ".s.PGSQL.")
	}
	return fmt.Sprintf("host=%s port=%s user=postgres database=%s sslmode=disable", host, port, database)
}

// clientTimeout is what a client waits for its server. It is meant to be met.
const clientTimeout = 300 * time.Millisecond

// impatientPool makes a pool of connections that waits for nothing longer than a client's timeout.
func impatientPool(t *testing.T, addr, database string, configure ...func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn(addr, database))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 8
	config.ConnConfig.ConnectTimeout = clientTimeout
	config.ConnConfig.DialFunc = (&net.Dialer{Timeout: clientTimeout}).DialContext
	for _, f := range configure {
		f(config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
