//go:build linux

package realservers

import (
	"context"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
)

// redisApplication stores records as lists, of one element each.
func redisApplication(t *testing.T, r *redisServer, addr string) application {
	t.Helper()
	client := redisClient(t, impatient(addr))
	return application{
		work:    func(ctx context.Context, id int) (bool, error) { return workRedis(ctx, client, id) },
		records: func(t *testing.T) map[int][]string { return redisRecords(t, r) },
	}
}

func workRedis(ctx context.Context, client *redis.Client, id int) (stored bool, err error) {
	key := fmt.Sprint(id)
	length, err := client.RPush(ctx, key, record(id)).Result()
	if err != nil {
		return false, err
	}
	if length != 1 {
		return false, fmt.Errorf("%w: storing record %d once makes %d of it", errWrong, id, length)
	}
	bodies, err := client.LRange(ctx, key, 0, -1).Result()
	if err != nil {
		return true, err
	}
	if len(bodies) != 1 || bodies[0] != record(id) {
		return true, fmt.Errorf("%w: record %d is %q", errWrong, id, bodies)
	}
	return true, nil
}

func redisRecords(t *testing.T, r *redisServer) map[int][]string {
	t.Helper()
	client := r.connect(t)
	records := map[int][]string{}
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		var id int
		if _, err := fmt.Sscan(key, &id); err != nil {
			t.Fatalf("key %q: %v", key, err)
		}
		bodies, err := client.LRange(t.Context(), key, 0, -1).Result()
		if err != nil {
			t.Fatal(err)
		}
		records[id] = bodies
	}
	return records
}
