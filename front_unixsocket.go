package chaos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// A unixDoorway is the doors of a unix socket. It refuses by closing the listener and
// leaving the socket's file: that is what a server which has died leaves behind, and
// clients get ECONNREFUSED. To open again it binds under another name and renames that
// over the file, so that a client never finds no file at all. The kernel goes on to call
// the new socket by the name it was bound to: the peer's address, which a client may ask
// for after it has connected, then shows that name.
type unixDoorway struct {
	path string // "@…" is in Linux's abstract namespace and has no file

	mu   sync.Mutex // guards ln, which hits reads while turn changes it
	ln   *net.UnixListener
	file fs.FileInfo // of the socket, so that nobody else's file is replaced or removed
}

// unixRenames is false where an open socket's file cannot be replaced for certain.
const unixRenames = runtime.GOOS != "windows"

// unixNames numbers the names that sockets are bound to before they are renamed.
var unixNames atomic.Int64

func listenUnix(ctx context.Context, path string) (doorway, error) {
	u := &unixDoorway{path: path}
	ln, err := bindUnix(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := u.adopt(ln); err != nil {
		ln.Close()
		return nil, err
	}
	return u, nil
}

func bindUnix(ctx context.Context, path string) (*net.UnixListener, error) {
	ln, err := listenConfig().Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	u := ln.(*net.UnixListener)
	u.SetUnlinkOnClose(false)
	return u, nil
}

// adopt makes ln, whose file stands at the path, the listener.
func (u *unixDoorway) adopt(ln *net.UnixListener) error {
	if !u.abstract() {
		file, err := os.Lstat(u.path)
		if err != nil {
			return err
		}
		u.file = file
	}
	u.mu.Lock()
	u.ln = ln
	u.mu.Unlock()
	return nil
}

func (u *unixDoorway) abstract() bool {
	return runtime.GOOS == "linux" && strings.HasPrefix(u.path, "@")
}

func (u *unixDoorway) allows(d Door) error {
	switch {
	case d == Blackhole:
		return fmt.Errorf("the door cannot be blackhole: a unix socket has no packets that could be left unanswered: %w", errors.ErrUnsupported)
	case d == Refuse && !unixRenames:
		return fmt.Errorf("the door of a unix socket cannot be refuse on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	return nil
}

func (u *unixDoorway) turn(from, to Door) error {
	switch {
	case to == Refuse:
		return u.ln.Close()
	case from == Refuse:
		return u.reopen()
	}
	return nil
}

// reopen binds the socket again.
func (u *unixDoorway) reopen() error {
	if u.abstract() {
		ln, err := bindUnix(context.Background(), u.path)
		if err != nil {
			return err
		}
		return u.adopt(ln)
	}
	now, err := os.Lstat(u.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !os.SameFile(now, u.file):
		return fmt.Errorf("listen again: %s has become another's file", u.path)
	case !unixRenames:
		os.Remove(u.path)
	}
	name := u.path
	if unixRenames {
		// Short, because the kernel takes little more than a hundred bytes of path.
		name = filepath.Join(filepath.Dir(u.path), fmt.Sprintf(".%x-%x", os.Getpid(), unixNames.Add(1)))
	}
	ln, err := bindUnix(context.Background(), name)
	if err != nil {
		return err
	}
	if err := u.settle(ln, name, now); err != nil {
		ln.Close()
		os.Remove(name)
		return err
	}
	return nil
}

// settle puts a listener bound to name at the path, open to the same users as before.
func (u *unixDoorway) settle(ln *net.UnixListener, name string, before fs.FileInfo) error {
	if before != nil {
		if err := os.Chmod(name, before.Mode().Perm()); err != nil {
			return err
		}
	}
	if name != u.path {
		if err := os.Rename(name, u.path); err != nil {
			return err
		}
	}
	return u.adopt(ln)
}

func (u *unixDoorway) listener() net.Listener { return u.ln }
func (u *unixDoorway) answersItself() bool    { return false }
func (u *unixDoorway) ours(net.Conn) bool     { return false }

func (u *unixDoorway) hits(now Door) int64 {
	if now != Hold {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	rc, err := u.ln.SyscallConn()
	if err != nil {
		return 0
	}
	return unixQueue(rc)
}

func (u *unixDoorway) close() error {
	err := u.ln.Close()
	if u.abstract() {
		return err
	}
	if now, e := os.Lstat(u.path); e == nil && os.SameFile(now, u.file) {
		os.Remove(u.path)
	}
	return err
}
