//go:build linux

package realservers

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chaosgate/chaos/chaostest"
	"github.com/jackc/pgx/v5"
)

// TestPostgresTransactionsAreWholeOrAbsent resets connections in the middle of transactions.
func TestPostgresTransactionsAreWholeOrAbsent(t *testing.T) {
	p := startPostgres(t)
	for _, cut := range cuts {
		t.Run(cut.name, func(t *testing.T) {
			t.Parallel()
			database := p.database(t)
			p.run(t, database,
				"create table accounts(n int primary key, balance int not null)",
				fmt.Sprintf("insert into accounts select n, %d from generate_series(0, %d) n", opening, accounts-1),
				"create table transfers(id int primary key, source int, target int, amount int)")
			g := chaostest.NewGate(t, p.addr)
			l := newLedger(g.Seed)
			cutWhile(t, g, l, cut.toServer, cut.toClient, cut.resets, func(stop <-chan struct{}) {
				postgresTeller(t.Context(), stop, l, dsn(g.Addr(), database))
			})
			checkPostgres(t, p, database, l)
		})
	}
}

// postgresTeller makes transfers over one connection.
func postgresTeller(ctx context.Context, stop <-chan struct{}, l *ledger, dsn string) {
	// Nothing is ever silent here, so this is only what ends a test that hangs.
	ctx, cancel := context.WithTimeout(ctx, transfersWithin)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return
	}
	defer func() {
		conn.Close(ctx)
		<-conn.PgConn().CleanupDone()
	}()
	for !closed(stop) {
		id, tr := l.begin()
		o, err := postgresTransfer(ctx, conn, id, tr)
		l.ended(id, o, err)
		if err != nil {
			return
		}
	}
}

func postgresTransfer(ctx context.Context, conn *pgx.Conn, id int, tr transfer) (outcome, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return undone, err
	}
	if _, err := tx.Exec(ctx, "insert into transfers values ($1, $2, $3, $4)", id, tr.from, tr.to, tr.amount); err != nil {
		return undone, err
	}
	changes := []struct{ account, by int }{{tr.from, -tr.amount}, {tr.to, tr.amount}}
	if tr.to < tr.from { // always in the same order, so that two of them never wait for each other
		changes[0], changes[1] = changes[1], changes[0]
	}
	for _, change := range changes {
		tag, err := tx.Exec(ctx, "update accounts set balance = balance + $2 where n = $1", change.account, change.by)
		if err != nil {
			return undone, err
		}
		if tag.RowsAffected() != 1 {
			return undone, fmt.Errorf("%w: an update has changed %d rows, want 1", errWrong, tag.RowsAffected())
		}
	}
	var sum int
	if err := tx.QueryRow(ctx, "select sum(balance) from accounts").Scan(&sum); err != nil {
		return undone, err
	}
	if err := checkSum(sum); err != nil {
		return undone, err
	}
	if err := tx.Commit(ctx); err != nil {
		return unknown, err
	}
	return done, nil
}

// checkPostgres waits until no transaction is under way any more, and compares the ledger with the tables.
func checkPostgres(t *testing.T, p *postgres, database string, l *ledger) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn := p.connect(t, database)
	p.waitAlone(t, conn)
	rows, err := conn.Query(ctx, "select id, source, target, amount from transfers")
	if err != nil {
		t.Fatal(err)
	}
	transfers := map[int]transfer{}
	var id int
	var tr transfer
	if _, err := pgx.ForEachRow(rows, []any{&id, &tr.from, &tr.to, &tr.amount}, func() error {
		transfers[id] = tr
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	rows, err = conn.Query(ctx, "select balance from accounts order by n")
	if err != nil {
		t.Fatal(err)
	}
	balances, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	l.check(t, transfers, balances)
}
