//go:build linux

package realservers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos/chaostest"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// TestPostgresWorks runs pgx against PostgreSQL, directly and through gates that lose nothing.
func TestPostgresWorks(t *testing.T) {
	p := startPostgres(t)
	for _, condition := range harmless {
		t.Run(condition.name, func(t *testing.T) {
			t.Parallel()
			g := gateBefore(t, p.addr, p.socket, condition.unix)
			imposed := impose(g, condition.faults...)
			direct := transcript(t, postgresSteps, dsn(p.addr, p.database(t)), condition.bulk)
			through := transcript(t, postgresSteps, dsn(g.Addr(), p.database(t)), condition.bulk)
			sameAsDirect(t, direct, through)
			chaostest.Fired(t, imposed...)
		})
	}
}

// postgresSteps are given where to connect, to a database that is empty.
var postgresSteps = []step[string]{
	{"queries one by one", postgresQueries},
	{"queries through a pool", postgresPool},
	{"prepared statements", postgresPrepared},
	{"a batch", postgresBatch},
	{"transactions", postgresTransactions},
	{"copy in and out", postgresCopy},
	{"large results", postgresLarge},
	{"an error", postgresError},
	{"listen and notify", postgresNotify},
	{"a cancelled query", postgresCancel},
}

// withConn lends f a connection.
func withConn(ctx context.Context, dsn string, f func(conn *pgx.Conn) (string, error)) (string, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return "", err
	}
	seen, err := f(conn)
	return seen, errors.Join(err, conn.Close(ctx))
}

func postgresQueries(ctx context.Context, dsn string, _ int) (string, error) {
	return withConn(ctx, dsn, func(conn *pgx.Conn) (string, error) {
		var answers []string
		for i := range 100 {
			var answer string
			if err := conn.QueryRow(ctx, "select md5($1::text) || $2::bytea::text", fmt.Sprint(i), bytes.Repeat([]byte{byte(i)}, i)).Scan(&answer); err != nil {
				return "", fmt.Errorf("query %d: %w", i, err)
			}
			answers = append(answers, answer)
		}
		return digest(answers), nil
	})
}

func postgresPool(ctx context.Context, dsn string, _ int) (string, error) {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return "", err
	}
	defer pool.Close()
	const workers, queries = 4, 25
	answers := make([]int, workers)
	group, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() error {
			for i := range queries {
				var answer int
				if err := pool.QueryRow(ctx, "select $1::int * $2::int", w, i).Scan(&answer); err != nil {
					return fmt.Errorf("query %d of worker %d: %w", i, w, err)
				}
				answers[w] += answer
			}
			return nil
		})
	}
	err = group.Wait()
	return fmt.Sprint(answers), err
}

func postgresPrepared(ctx context.Context, dsn string, _ int) (string, error) {
	return withConn(ctx, dsn, func(conn *pgx.Conn) (string, error) {
		described, err := conn.Prepare(ctx, "series", "select i, i::text, i % $2::int = 0 from generate_series(1, $1::int) i")
		if err != nil {
			return "", err
		}
		var answers [][]any
		for i := range 50 {
			rows, err := conn.Query(ctx, "series", i, 3)
			if err != nil {
				return "", err
			}
			found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
			if err != nil {
				return "", err
			}
			answers = append(answers, found...)
		}
		err = conn.Deallocate(ctx, "series")
		return fmt.Sprintf("%v, %d rows: %s", described.ParamOIDs, len(answers), digest(answers)), err
	})
}

func postgresBatch(ctx context.Context, dsn string, _ int) (string, error) {
	return withConn(ctx, dsn, func(conn *pgx.Conn) (string, error) {
		batch := &pgx.Batch{}
		var answers []int
		for i := range 200 {
			batch.Queue("select $1::int + 1", i).QueryRow(func(row pgx.Row) error {
				var answer int
				err := row.Scan(&answer)
				answers = append(answers, answer)
				return err
			})
		}
		err := conn.SendBatch(ctx, batch).Close()
		return fmt.Sprintf("%d answers: %s", len(answers), digest(answers)), err
	})
}

func postgresTransactions(ctx context.Context, dsn string, _ int) (string, error) {
	return withConn(ctx, dsn, func(conn *pgx.Conn) (string, error) {
		if _, err := conn.Exec(ctx, "create table kept(n int primary key)"); err != nil {
			return "", err
		}
		for i := range 20 {
			tx, err := conn.Begin(ctx)
			if err != nil {
				return "", err
			}
			if _, err := tx.Exec(ctx, "insert into kept values ($1)", i); err != nil {
				return "", err
			}
			end := tx.Commit
			if i%3 == 0 {
				end = tx.Rollback
			}
			if err := end(ctx); err != nil {
				return "", err
			}
		}
		var kept string
		err := conn.QueryRow(ctx, "select string_agg(n::text, ' ' order by n) from kept").Scan(&kept)
		return kept, err
	})
}

func postgresCopy(ctx context.Context, dsn string, bulk int) (string, error) {
	return withConn(ctx, dsn, func(conn *pgx.Conn) (string, error) {
		if _, err := conn.Exec(ctx, "create table bulk(n int primary key, body bytea, remark text)"); err != nil {
			return "", err
		}
		const body = 1000 // bytes of a row
		rows := bulk / body
		n, err := conn.CopyFrom(ctx, pgx.Identifier{"bulk"}, []string{"n", "body", "remark"}, pgx.CopyFromSlice(rows, func(i int) ([]any, error) {
			return []any{i, bytes.Repeat([]byte{byte(i), byte(i >> 8), '\n', '\\'}, body/4), fmt.Sprint("row\t", i)}, nil
		}))
		if err != nil {
			return "", err
		}
		out := sha256.New()
		tag, err := conn.PgConn().CopyTo(ctx, out, "copy (select * from bulk order by n) to stdout (format binary)")
		return fmt.Sprintf("%d rows in, %v out: %x", n, tag, out.Sum(nil)), err
	})
}

func postgresLarge(ctx context.Context, dsn string, bulk int) (string, error) {
	return withConn(ctx, dsn, func(conn *pgx.Conn) (string, error) {
		// One large value, which the client sends and gets back.
		value := strings.Repeat("a large value. ", bulk/4/15)
		var back string
		if err := conn.QueryRow(ctx, "select upper($1::text)", value).Scan(&back); err != nil {
			return "", err
		}
		if back != strings.ToUpper(value) {
			return "", errors.New("a large value has come back wrong")
		}
		// And many rows.
		rows, err := conn.Query(ctx, "select i, md5(i::text) from generate_series(1, $1::int) i", bulk/100)
		if err != nil {
			return "", err
		}
		var i, n int
		var sum string
		all := fnv.New64()
		_, err = pgx.ForEachRow(rows, []any{&i, &sum}, func() error {
			n++
			fmt.Fprintln(all, i, sum)
			return nil
		})
		return fmt.Sprintf("%d bytes, %d rows: %x", len(back), n, all.Sum64()), err
	})
}

func postgresError(ctx context.Context, dsn string, _ int) (string, error) {
	return withConn(ctx, dsn, func(conn *pgx.Conn) (string, error) {
		_, refused := conn.Exec(ctx, "select 1 / $1::int", 0)
		var answer int
		err := conn.QueryRow(ctx, "select 42").Scan(&answer)
		return fmt.Sprint(refused, ", then ", answer), err
	})
}

func postgresNotify(ctx context.Context, dsn string, _ int) (string, error) {
	return withConn(ctx, dsn, func(listening *pgx.Conn) (string, error) {
		if _, err := listening.Exec(ctx, "listen news"); err != nil {
			return "", err
		}
		const news = 20
		if _, err := withConn(ctx, dsn, func(telling *pgx.Conn) (string, error) {
			for i := range news {
				if _, err := telling.Exec(ctx, "select pg_notify('news', $1)", fmt.Sprint("number ", i)); err != nil {
					return "", err
				}
			}
			return "", nil
		}); err != nil {
			return "", err
		}
		var heard []string
		for range news {
			n, err := listening.WaitForNotification(ctx)
			if err != nil {
				return "", err
			}
			heard = append(heard, n.Channel+": "+n.Payload)
		}
		return strings.Join(heard, ", "), nil
	})
}

// postgresCancel cancels a query as psql does on Ctrl-C: by a connection of its own, to the same address.
func postgresCancel(ctx context.Context, dsn string, _ int) (string, error) {
	return withConn(ctx, dsn, func(sleeping *pgx.Conn) (string, error) {
		pid := sleeping.PgConn().PID()
		ended := make(chan error, 1) // how the query ended
		go func() {
			_, err := sleeping.Exec(ctx, "select pg_sleep(600)")
			ended <- err
		}()
		if _, err := withConn(ctx, dsn, func(looking *pgx.Conn) (string, error) {
			for {
				var sleeps bool
				err := looking.QueryRow(ctx, "select exists (select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep')", pid).Scan(&sleeps)
				if err != nil || sleeps {
					return "", err
				}
				time.Sleep(pollEvery) // see pollEvery
			}
		}); err != nil {
			return "", err
		}
		if err := sleeping.PgConn().CancelRequest(ctx); err != nil {
			return "", err
		}
		var said *pgconn.PgError
		if err := <-ended; !errors.As(err, &said) {
			return "", fmt.Errorf("the cancelled query: got %w, want what the server says", err)
		}
		var answer int
		err := sleeping.QueryRow(ctx, "select 42").Scan(&answer)
		return fmt.Sprintf("%s %s, then %d", said.Code, said.Message, answer), err
	})
}
