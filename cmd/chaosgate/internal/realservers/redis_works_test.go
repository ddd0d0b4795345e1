//go:build linux

package realservers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chaosgate/chaos/chaostest"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// TestRedisWorks runs go-redis against Redis, directly and through gates that lose nothing.
func TestRedisWorks(t *testing.T) {
	for _, condition := range harmless {
		t.Run(condition.name, func(t *testing.T) {
			t.Parallel()
			direct := startRedis(t)
			behind := startRedis(t)
			g := gateBefore(t, behind.addr, behind.socket, condition.unix)
			imposed := impose(g, condition.faults...)
			sameAsDirect(t,
				transcript(t, redisSteps, direct.connect(t), condition.bulk),
				transcript(t, redisSteps, redisClient(t, patient(g.Addr())), condition.bulk))
			chaostest.Fired(t, imposed...)
		})
	}
}

// redisSteps are given a client of a server that is empty.
var redisSteps = []step[*redis.Client]{
	{"commands one by one", redisCommands},
	{"commands from many", redisMany},
	{"pipelines", redisPipelines},
	{"publish and subscribe", redisPubSub},
	{"a blocking pop", redisBlocking},
	{"large values", redisLarge},
	{"transactions", redisTransactions},
	{"errors", redisErrors},
}

func redisCommands(ctx context.Context, client *redis.Client, _ int) (string, error) {
	var answers []any
	for i := range 50 {
		key, value := fmt.Sprint("key", i), strings.Repeat("\r\n$5\r\n", i)
		if err := client.Set(ctx, key, value, 0).Err(); err != nil {
			return "", err
		}
		back, err := client.Get(ctx, key).Result()
		if err != nil {
			return "", err
		}
		if back != value {
			return "", fmt.Errorf("%s: got %q, want %q", key, back, value)
		}
		n, err := client.IncrBy(ctx, "sum", int64(i)).Result()
		if err != nil {
			return "", err
		}
		answers = append(answers, back, n)
	}
	return digest(answers...), nil
}

func redisMany(ctx context.Context, client *redis.Client, _ int) (string, error) {
	const workers, each = 6, 30
	group, within := errgroup.WithContext(ctx)
	for range workers {
		group.Go(func() error {
			for range each {
				if err := client.Incr(within, "together").Err(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	return client.Get(ctx, "together").Result()
}

func redisPipelines(ctx context.Context, client *redis.Client, _ int) (string, error) {
	var answers []any
	for round := range 5 {
		commands, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i := range 1000 {
				pipe.IncrBy(ctx, fmt.Sprint("pipelined", i), int64(round))
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		for _, command := range commands {
			answers = append(answers, command.String())
		}
	}
	return fmt.Sprintf("%d answers: %s", len(answers), digest(answers...)), nil
}

func redisPubSub(ctx context.Context, client *redis.Client, _ int) (string, error) {
	subscription := client.Subscribe(ctx, "news")
	defer subscription.Close()
	if _, err := subscription.Receive(ctx); err != nil { // the subscription is confirmed
		return "", err
	}
	const news = 50
	for i := range news {
		heardBy, err := client.Publish(ctx, "news", fmt.Sprint("number ", i)).Result()
		if err != nil {
			return "", err
		}
		if heardBy != 1 {
			return "", fmt.Errorf("news %d were heard by %d, want 1", i, heardBy)
		}
	}
	var heard []string
	for range news {
		m, err := subscription.ReceiveMessage(ctx)
		if err != nil {
			return "", err
		}
		heard = append(heard, m.Channel+": "+m.Payload)
	}
	return strings.Join(heard, ", "), nil
}

func redisBlocking(ctx context.Context, client *redis.Client, _ int) (string, error) {
	var popped []string
	for i := range 5 {
		ended := make(chan error, 1) // how the pop ended
		go func() {
			pair, err := client.BLPop(ctx, time.Minute, "empty", "queue").Result()
			popped = append(popped, pair...)
			ended <- err
		}()
		for {
			info, err := client.InfoMap(ctx, "clients").Result()
			if err != nil {
				return "", err
			}
			if info["Clients"]["blocked_clients"] == "1" {
				break
			}
			time.Sleep(pollEvery) // see pollEvery
		}
		if err := client.RPush(ctx, "queue", i).Err(); err != nil {
			return "", err
		}
		if err := <-ended; err != nil {
			return "", err
		}
	}
	return strings.Join(popped, " "), nil
}

func redisLarge(ctx context.Context, client *redis.Client, bulk int) (string, error) {
	var seen []string
	for _, size := range []int{0, 1, 16 << 10, bulk / 4, bulk} {
		value := strings.Repeat("a large value. ", size/15+1)[:size]
		if err := client.Set(ctx, "large", value, 0).Err(); err != nil {
			return "", err
		}
		back, err := client.Get(ctx, "large").Result()
		if err != nil {
			return "", err
		}
		if back != value {
			return "", fmt.Errorf("a value of %d bytes has come back wrong", size)
		}
		seen = append(seen, fmt.Sprintf("%d bytes: %s", len(back), digest(back)))
	}
	return strings.Join(seen, ", "), nil
}

func redisTransactions(ctx context.Context, client *redis.Client, _ int) (string, error) {
	for i := range 20 {
		if _, err := client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.DecrBy(ctx, "from", int64(i))
			pipe.IncrBy(ctx, "to", int64(i))
			return nil
		}); err != nil {
			return "", err
		}
	}
	// What is watched changes before EXEC, so nothing is done.
	lost := client.Watch(ctx, func(tx *redis.Tx) error {
		if err := client.Incr(ctx, "watched").Err(); err != nil {
			return err
		}
		_, err := tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.Set(ctx, "watched", 100, 0)
			return nil
		})
		return err
	}, "watched")
	if !errors.Is(lost, redis.TxFailedErr) {
		return "", fmt.Errorf("a transaction on what has changed: got %w, want %w", lost, redis.TxFailedErr)
	}
	values, err := client.MGet(ctx, "from", "to", "watched").Result()
	return fmt.Sprint(values...), err
}

func redisErrors(ctx context.Context, client *redis.Client, _ int) (string, error) {
	if err := client.Set(ctx, "text", "no number", 0).Err(); err != nil {
		return "", err
	}
	notNumber := client.Incr(ctx, "text").Err()
	notList := client.LPush(ctx, "text", 1).Err()
	missing := client.Get(ctx, "missing").Err()
	text, err := client.Get(ctx, "text").Result()
	return fmt.Sprint(notNumber, ", ", notList, ", ", missing, ", then ", text), err
}
