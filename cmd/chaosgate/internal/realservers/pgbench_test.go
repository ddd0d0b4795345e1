//go:build linux

package realservers

import (
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chaosgate/chaos/chaostest"
)

// TestPgbenchWorks runs pgbench, a client written in C, directly and through gates that lose nothing. With the same seed
// it does the same transactions, so the tables must be the same in the end.
func TestPgbenchWorks(t *testing.T) {
	p := startPostgres(t)
	for _, condition := range harmless {
		if condition.unix {
			continue // pgbench is no other client there than pgx
		}
		t.Run(condition.name, func(t *testing.T) {
			t.Parallel()
			g := chaostest.NewGate(t, p.addr)
			imposed := impose(g, condition.faults...)
			sameAsDirect(t, pgbench(t, p, p.addr), pgbench(t, p, g.Addr()))
			chaostest.Fired(t, imposed...)
		})
	}
}

// pgbenchFigures are the lines of pgbench's report that do not depend on how fast it was.
var pgbenchFigures = regexp.MustCompile(`(?m)^(?:scaling factor|query mode|number of (?:clients|threads|failed transactions|transactions).*):.*$`)

// pgbench fills a new database and runs transactions on it, over addr, and returns what came of them.
func pgbench(t *testing.T, p *postgres, addr string) []string {
	t.Helper()
	database := p.database(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), filepath.Join(p.bin, "pgbench"), append(args, "-h", host, "-p", port, "-U", "postgres", database)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		return string(out)
	}
	run("-i", "-s", "1", "-q")
	report := run("-c", "4", "-j", "2", "-t", "25", "--random-seed=1")
	figures := pgbenchFigures.FindAllString(report, -1)
	if len(figures) < 5 {
		t.Fatalf("pgbench reports %q, want more figures of\n%s", figures, report)
	}
	conn := p.connect(t, database)
	for _, query := range []string{
		"select count(*)::text || ' accounts: ' || md5(string_agg(aid || ' ' || abalance, ',' order by aid)) from pgbench_accounts",
		"select 'tellers: ' || string_agg(tid || ' ' || tbalance, ', ' order by tid) from pgbench_tellers",
		"select 'branches: ' || string_agg(bid || ' ' || bbalance, ', ' order by bid) from pgbench_branches",
		"select 'history: ' || count(*) || ' with the sum ' || sum(delta) from pgbench_history",
	} {
		var answer string
		if err := conn.QueryRow(t.Context(), query).Scan(&answer); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		figures = append(figures, answer)
	}
	return figures
}
