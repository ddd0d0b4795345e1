package chaos

import "syscall"

// control calls f with c's descriptor, if it has one and is not closed. The descriptor
// cannot be closed, and so not be another's, before f returns.
func control(c any, f func(fd int)) {
	if rc := rawConn(c); rc != nil {
		rc.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// rawConn returns the descriptor side of a connection or listener, or nil.
func rawConn(c any) syscall.RawConn {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return rc
}
