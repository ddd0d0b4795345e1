//go:build linux

package realservers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"
)

// TestMain checks, once all gates, clients and servers have ended, that no goroutine and no socket is left.
func TestMain(m *testing.M) {
	redis.SetLogger(&logging.VoidLogger{}) // it would write about every failed dial
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if left := sockets(); len(left) > 0 && code == 0 {
			fmt.Fprintln(os.Stderr, "sockets left at the end:", strings.Join(left, ", "))
			code = 1
		}
		os.Exit(code)
	}))
}

// sockets returns the sockets that this process has open.
func sockets() []string {
	var found []string
	files, _ := filepath.Glob("/proc/self/fd/*")
	for _, file := range files {
		switch filepath.Base(file) {
		case "0", "1", "2": // whatever started the test gave it these
			continue
		}
		if to, err := os.Readlink(file); err == nil && strings.HasPrefix(to, "socket:") {
			found = append(found, file+" "+to)
		}
	}
	return found
}
