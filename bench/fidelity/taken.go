package main

import (
	"errors"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// awaitTaken waits until the peer's kernel has acknowledged all that was written. A reset destroys what is unsent, so that only behind that
// can be told what must arrive.
func awaitTaken(c *net.TCPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	for begin := time.Now(); time.Since(begin) < patience; {
		var left int
		var failed error
		if err := raw.Control(func(fd uintptr) { left, failed = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); err != nil || failed != nil {
			return errors.Join(err, failed)
		}
		if left == 0 {
			return nil
		}
		time.Sleep(20 * time.Microsecond) // the kernel tells nobody
	}
	return errors.New("the peer's kernel does not take what was written")
}
