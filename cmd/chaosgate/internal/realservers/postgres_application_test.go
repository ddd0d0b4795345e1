//go:build linux

package realservers

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresApplication stores records in a table.
func postgresApplication(t *testing.T, p *postgres, addr string) application {
	t.Helper()
	database := p.database(t)
	p.run(t, database, "create table records(id int, body text)") // no key, so that doubles would be seen
	pool := impatientPool(t, addr, database)
	return application{
		work:    func(ctx context.Context, id int) (bool, error) { return workPostgres(ctx, pool, id) },
		records: func(t *testing.T) map[int][]string { return postgresRecords(t, p, database) },
	}
}

func workPostgres(ctx context.Context, pool *pgxpool.Pool, id int) (stored bool, err error) {
	tag, err := pool.Exec(ctx, "insert into records values ($1, $2)", id, record(id))
	if err != nil {
		return false, err
	}
	if tag.RowsAffected() != 1 {
		return false, fmt.Errorf("%w: storing record %d has stored %d", errWrong, id, tag.RowsAffected())
	}
	rows, err := pool.Query(ctx, "select body from records where id = $1", id)
	if err != nil {
		return true, err
	}
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return true, err
	}
	if len(bodies) != 1 || bodies[0] != record(id) {
		return true, fmt.Errorf("%w: record %d is %q", errWrong, id, bodies)
	}
	return true, nil
}

func postgresRecords(t *testing.T, p *postgres, database string) map[int][]string {
	t.Helper()
	conn := p.connect(t, database)
	records := map[int][]string{}
	rows, err := conn.Query(t.Context(), "select id, body from records")
	if err != nil {
		t.Fatal(err)
	}
	var id int
	var body string
	if _, err := pgx.ForEachRow(rows, []any{&id, &body}, func() error {
		records[id] = append(records[id], body)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return records
}
