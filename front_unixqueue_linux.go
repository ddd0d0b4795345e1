package chaos

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// The parts of linux/unix_diag.h that are needed.
const (
	unixDiagShowQueue = 0x10 // UDIAG_SHOW_RQLEN
	unixDiagQueue     = 4    // UNIX_DIAG_RQLEN: two uint32, the queue and its limit
	unixDiagRequest   = 24   // the size of struct unix_diag_req
	unixDiagMessage   = 16   // the size of struct unix_diag_msg
)

// unixQueue returns how many clients wait in a unix listener's queue. No call on the
// socket tells; the kernel's socket diagnostics do, without privilege, as ss shows them.
// Where they are missing it is 0.
func unixQueue(rc syscall.RawConn) int64 {
	var inode uint64
	rc.Control(func(fd uintptr) {
		var st unix.Stat_t
		if unix.Fstat(int(fd), &st) == nil {
			inode = st.Ino
		}
	})
	if inode == 0 {
		return 0
	}
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0
	}
	defer unix.Close(s)
	if err := unix.Sendto(s, queueRequest(uint32(inode)), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0
	}
	// The answer was queued while the request was sent: nothing is waited for.
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(s, answer, unix.MSG_DONTWAIT)
	if err != nil {
		return 0
	}
	return queueAnswer(answer[:n])
}

// queueRequest asks for the queue of the unix socket with an inode number.
func queueRequest(inode uint32) []byte {
	e := binary.NativeEndian
	b := make([]byte, unix.SizeofNlMsghdr+unixDiagRequest)
	e.PutUint32(b[0:], uint32(len(b)))
	e.PutUint16(b[4:], unix.SOCK_DIAG_BY_FAMILY)
	e.PutUint16(b[6:], unix.NLM_F_REQUEST)
	r := b[unix.SizeofNlMsghdr:]
	r[0] = unix.AF_UNIX
	e.PutUint32(r[4:], ^uint32(0)) // sockets in any state
	e.PutUint32(r[8:], inode)
	e.PutUint32(r[12:], unixDiagShowQueue)
	e.PutUint64(r[16:], ^uint64(0)) // whatever its cookie
	return b
}

// queueAnswer finds the queue's length in the kernel's answer.
func queueAnswer(b []byte) int64 {
	msgs, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return 0
	}
	for _, m := range msgs {
		if m.Header.Type != unix.SOCK_DIAG_BY_FAMILY || len(m.Data) < unixDiagMessage {
			continue
		}
		e := binary.NativeEndian
		for a := m.Data[unixDiagMessage:]; len(a) >= unix.SizeofRtAttr; {
			size := int(e.Uint16(a))
			if size < unix.SizeofRtAttr || size > len(a) {
				break
			}
			if e.Uint16(a[2:]) == unixDiagQueue && size >= unix.SizeofRtAttr+4 {
				return int64(e.Uint32(a[unix.SizeofRtAttr:]))
			}
			a = a[min((size+3)&^3, len(a)):]
		}
	}
	return 0
}
