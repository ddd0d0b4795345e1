//go:build linux

package realservers

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// A redisServer is a Redis server of the test's own.
type redisServer struct {
	addr   string // where it listens
	socket string // its unix socket
}

// startRedis starts Redis, or skips the test where it is not installed.
func startRedis(t *testing.T) *redisServer {
	t.Helper()
	notShort(t)
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("Redis is missing: Debian package redis-server")
	}
	dir := folder(t)
	socket := filepath.Join(dir, "redis.sock")
	addr := launch(t, dir, path, func(port string) []string {
		return []string{"--port", port, "--bind", "127.0.0.1", "--unixsocket", socket, "--dir", dir, "--save", "", "--appendonly", "no"}
	}, func(ctx context.Context, addr string) error {
		client := redis.NewClient(patient(addr))
		defer client.Close()
		return client.Ping(ctx).Err()
	}, syscall.SIGINT)
	return &redisServer{addr: addr, socket: socket}
}

// connect makes a client that connects directly, until the test ends.
func (r *redisServer) connect(t *testing.T) *redis.Client {
	t.Helper()
	return redisClient(t, patient(r.addr))
}

// waitAlone waits until the server has no client but the one given, so that nothing is under way any more.
func (r *redisServer) waitAlone(t *testing.T, client *redis.Client) {
	t.Helper()
	until(t, 30*time.Second, "all other clients are gone", func() bool {
		list, err := client.ClientList(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(list, "\n") == 1
	})
}

// redisClient makes a client and closes it with the test.
func redisClient(t *testing.T, options *redis.Options) *redis.Client {
	t.Helper()
	client := redis.NewClient(options)
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// patient are the options of a client that never tries twice: what it reports happened once. Each of its connections
// begins with the same bytes.
func patient(addr string) *redis.Options {
	network := "tcp"
	if filepath.IsAbs(addr) {
		network = "unix"
	}
	return &redis.Options{
		Network: network, Addr: addr, PoolSize: 8, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: 30 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, PoolTimeout: 30 * time.Second,
		DisableIdentity: true, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// impatient are the options of a client that waits for nothing longer than a client's timeout.
func impatient(addr string) *redis.Options {
	options := patient(addr)
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = clientTimeout, clientTimeout, clientTimeout, clientTimeout
	return options
}
