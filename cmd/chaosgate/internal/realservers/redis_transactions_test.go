//go:build linux

package realservers

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/chaosgate/chaos/chaostest"
	"github.com/redis/go-redis/v9"
)

// TestRedisTransactionsAreWholeOrAbsent resets connections in the middle of MULTI and EXEC.
func TestRedisTransactionsAreWholeOrAbsent(t *testing.T) {
	for _, cut := range cuts {
		t.Run(cut.name, func(t *testing.T) {
			t.Parallel()
			r := startRedis(t)
			direct := r.connect(t)
			for n := range accounts {
				if err := direct.Set(t.Context(), accountKey(n), opening, 0).Err(); err != nil {
					t.Fatal(err)
				}
			}
			g := chaostest.NewGate(t, r.addr)
			l := newLedger(g.Seed)
			cutWhile(t, g, l, cut.toServer, cut.toClient, cut.resets, func(stop <-chan struct{}) {
				redisTeller(t.Context(), stop, l, g.Addr())
			})
			r.waitAlone(t, direct)
			checkRedis(t, direct, l)
		})
	}
}

const transfersKey = "transfers"

func accountKey(n int) string { return fmt.Sprint("account", n) }

func accountKeys() []string {
	var keys []string
	for n := range accounts {
		keys = append(keys, accountKey(n))
	}
	return keys
}

// redisTeller makes transfers with a client of its own, one by one command and one as a whole in turn.
func redisTeller(ctx context.Context, stop <-chan struct{}, l *ledger, addr string) {
	client := redis.NewClient(patient(addr))
	defer client.Close()
	for !closed(stop) {
		id, tr := l.begin()
		transfer := redisTransferAtOnce
		if id%2 == 0 {
			transfer = redisTransferByCommands
		}
		o, err := transfer(ctx, client, id, tr)
		l.ended(id, o, err)
		if err == nil {
			err = redisReadSum(ctx, client, id, l)
		}
		if err != nil {
			return
		}
	}
}

// redisTransferAtOnce sends all commands at once, so that after an error nobody knows what has become of them.
func redisTransferAtOnce(ctx context.Context, client *redis.Client, id int, tr transfer) (outcome, error) {
	answers, err := client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, command := range redisTransfer(id, tr) {
			pipe.Do(ctx, command...)
		}
		return nil
	})
	if err != nil {
		return unknown, unlessServerSaid(err)
	}
	if len(answers) != len(redisTransfer(id, tr)) {
		return done, fmt.Errorf("%w: EXEC has %d answers", errWrong, len(answers))
	}
	return done, nil
}

// redisTransferByCommands sends one command after the other, so that before EXEC a failed one is undone for certain.
func redisTransferByCommands(ctx context.Context, client *redis.Client, id int, tr transfer) (outcome, error) {
	conn := client.Conn()
	defer conn.Close()
	if err := expect(conn.Do(ctx, "multi"), "OK"); err != nil {
		return undone, err
	}
	for _, command := range redisTransfer(id, tr) {
		if err := expect(conn.Do(ctx, command...), "QUEUED"); err != nil {
			return undone, err
		}
	}
	answers, err := conn.Do(ctx, "exec").Slice()
	if err != nil {
		return unknown, unlessServerSaid(err)
	}
	if len(answers) != len(redisTransfer(id, tr)) {
		return done, fmt.Errorf("%w: EXEC has answered %v", errWrong, answers)
	}
	return done, nil
}

// redisTransfer returns the commands of a transfer.
func redisTransfer(id int, tr transfer) [][]any {
	return [][]any{
		{"decrby", accountKey(tr.from), tr.amount},
		{"hset", transfersKey, id, fmt.Sprint(tr.from, tr.to, tr.amount)},
		{"incrby", accountKey(tr.to), tr.amount},
	}
}

// expect checks a command's answer. One that is not as it must be is a wrong result.
func expect(command *redis.Cmd, want string) error {
	got, err := command.Text()
	if err != nil {
		return unlessServerSaid(err)
	}
	if got != want {
		return fmt.Errorf("%w: %v: want %s", errWrong, command, want)
	}
	return nil
}

// unlessServerSaid returns the error, as a wrong result if it is an answer of the server: no command here is wrong, so
// the server must have got something else.
func unlessServerSaid(err error) error {
	var said redis.Error
	if errors.As(err, &said) {
		return fmt.Errorf("%w: %w", errWrong, err)
	}
	return err
}

// redisReadSum reads all accounts at one moment.
func redisReadSum(ctx context.Context, client *redis.Client, id int, l *ledger) error {
	balances, err := redisBalances(ctx, client)
	if err == nil {
		err = checkSum(balances...)
	}
	if errors.Is(err, errWrong) {
		l.sawWrong(fmt.Errorf("after transfer %d: %w", id, err))
	}
	return err
}

func redisBalances(ctx context.Context, client *redis.Client) ([]int, error) {
	values, err := client.MGet(ctx, accountKeys()...).Result()
	if err != nil {
		return nil, unlessServerSaid(err)
	}
	var balances []int
	for _, value := range values {
		balance, err := strconv.Atoi(fmt.Sprint(value))
		if err != nil {
			return nil, fmt.Errorf("%w: a balance is %v", errWrong, value)
		}
		balances = append(balances, balance)
	}
	return balances, nil
}

// checkRedis compares the ledger with what is stored.
func checkRedis(t *testing.T, direct *redis.Client, l *ledger) {
	t.Helper()
	balances, err := redisBalances(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := direct.HGetAll(t.Context(), transfersKey).Result()
	if err != nil {
		t.Fatal(err)
	}
	transfers := map[int]transfer{}
	for key, text := range stored {
		var id int
		var tr transfer
		if _, err := fmt.Sscan(key, &id); err != nil {
			t.Fatalf("transfer %q: %v", key, err)
		}
		if _, err := fmt.Sscan(text, &tr.from, &tr.to, &tr.amount); err != nil {
			t.Fatalf("transfer %q: %q: %v", key, text, err)
		}
		transfers[id] = tr
	}
	l.check(t, transfers, balances)
}
