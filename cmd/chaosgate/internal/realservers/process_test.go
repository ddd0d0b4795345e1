//go:build linux

package realservers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const (
	// startsWithin is how long a server may take to answer, on a machine that is busy with other things.
	startsWithin = 60 * time.Second
	// endsWithin is how long it may take to end.
	endsWithin = 30 * time.Second
	// pollEvery is the pause between two looks at something that tells nobody when it changes.
	pollEvery = 5 * time.Millisecond
)

// notShort skips the test where only short ones are wanted.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("real servers are not started with -short")
	}
}

// account returns who a server is to run as: another than root, since PostgreSQL refuses root, or nil where the test
// itself is not root.
func account(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		who, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(who.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(who.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			t.Fatalf("the account %s: %v", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Skip("the test runs as root and there is no account postgres (Debian package postgresql) or nobody to run a server as")
	return nil
}

// folder makes a folder that a server can write to, and removes it with the test. t.TempDir would not do: only its owner
// can enter the folder above.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "realservers-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if who := account(t); who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command prepares a command that works in dir and runs as the account.
func command(t *testing.T, dir, path string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir)
	// If the test is killed the server ends as well, in good order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account(t), Pdeathsig: syscall.SIGINT}
	return cmd
}

// freePort finds a port that nobody listens on at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// launch starts a server on a free port and ends it with the test, by a signal after which it waits for no client. It returns the
// address once the server answers there.
func launch(t *testing.T, dir, path string, args func(port string) []string, answers func(ctx context.Context, addr string) error, end syscall.Signal) string {
	t.Helper()
	var err error
	// Between finding a port and listening there somebody else may take it.
	for range 3 {
		port := freePort(t)
		addr := net.JoinHostPort("127.0.0.1", port)
		log, createErr := os.CreateTemp(dir, "log-")
		if createErr != nil {
			t.Fatal(createErr)
		}
		cmd := command(t, dir, path, args(port)...)
		cmd.Stdout, cmd.Stderr = log, log
		startErr := cmd.Start()
		log.Close()
		if startErr != nil {
			t.Fatal(startErr)
		}
		s := &server{cmd: cmd, log: log.Name(), end: end, ended: make(chan struct{})}
		go s.wait()
		if err = s.comesUp(func(ctx context.Context) error { return answers(ctx, addr) }); err == nil {
			t.Cleanup(func() { s.stop(t) })
			return addr
		}
		cmd.Process.Kill()
		<-s.ended
		t.Logf("%s does not start on %s: %v; it says:\n%s", path, addr, err, s.says())
	}
	t.Fatalf("%s does not start: %v", path, err)
	return ""
}

// A server is a process that a test has started.
type server struct {
	cmd   *exec.Cmd
	log   string // the file with what it says
	end   syscall.Signal
	ended chan struct{} // closed when it has ended
	err   error         // how, once ended is closed
}

func (s *server) wait() {
	s.err = s.cmd.Wait()
	close(s.ended)
}

// comesUp waits until the server answers.
func (s *server) comesUp(answers func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startsWithin)
	defer cancel()
	for {
		err := answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("it ended: %w", errors.Join(s.err, err))
		case <-ctx.Done():
			return err
		case <-time.After(pollEvery):
		}
	}
}

// stop ends the server as its operator would, without waiting for clients that are left.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(s.end); err != nil {
		t.Errorf("%s cannot be ended: %v", s.cmd.Path, err)
	}
	select {
	case <-s.ended:
	case <-time.After(endsWithin):
		t.Errorf("%s has not ended after %v", s.cmd.Path, endsWithin)
		s.cmd.Process.Kill()
		<-s.ended
	}
	if s.err != nil {
		t.Errorf("%s ended with %v", s.cmd.Path, s.err)
	}
	if t.Failed() {
		t.Logf("%s said last:\n%s", s.cmd.Path, s.says())
	}
}

// says returns the last of what the server has logged.
func (s *server) says() []byte {
	const most = 4 << 10
	text, err := os.ReadFile(s.log)
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-most):]
}

// until waits for something that tells nobody when it happens, and fails the test if that takes too long.
func until(t *testing.T, within time.Duration, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !happened(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(pollEvery) // see pollEvery
	}
}
