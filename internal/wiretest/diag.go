//go:build linux

package wiretest

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Socket is one TCP socket of this machine.
type Socket struct {
	Local, Remote netip.AddrPort
	State         string
	Queued        int64 // bytes received that nobody has read
}

// String renders a socket for people.
func (s Socket) String() string {
	return fmt.Sprintf("%v→%v %s", s.Local, s.Remote, s.State)
}

// socketStates are the states by the numbers of include/net/tcp_states.h.
var socketStates = []string{
	"?", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
}

const (
	listening = 10 // among socketStates, as the next
	timeWait  = 6

	sockDiagByFamily = 20 // of include/uapi/linux/sock_diag.h
	requestSize      = 56 // of struct inet_diag_req_v2
	answerSize       = 72 // of struct inet_diag_msg
)

// Sockets returns the TCP sockets that have one of the ports on either side, but for those that listen or are in TIME_WAIT, which
// is how a finished connection looks. The kernel is asked by sock_diag, as ss does: where thousands of connections have finished,
// /proc/net/tcp takes longer to write and to read than some of what is measured here.
func Sockets(ports ...int) ([]Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	var found []Socket
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		all, err := diagnose(fd, family)
		if err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
		for _, s := range all {
			if slices.Contains(ports, int(s.Local.Port())) || slices.Contains(ports, int(s.Remote.Port())) {
				found = append(found, s)
			}
		}
	}
	return found, nil
}

// diagnose returns a family's TCP sockets.
func diagnose(fd int, family byte) ([]Socket, error) {
	ask := make([]byte, unix.SizeofNlMsghdr+requestSize)
	binary.NativeEndian.PutUint32(ask, uint32(len(ask)))
	binary.NativeEndian.PutUint16(ask[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(ask[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	body := ask[unix.SizeofNlMsghdr:]
	body[0], body[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(body[4:], ^uint32(1<<listening|1<<timeWait))
	if err := unix.Sendto(fd, ask, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	var found []Socket
	for buf := make([]byte, 64<<10); ; {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			switch {
			case m.Header.Type == unix.NLMSG_DONE:
				return found, nil
			case m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4:
				return nil, unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
			case m.Header.Type == sockDiagByFamily && len(m.Data) >= answerSize:
				found = append(found, diagnosed(m.Data))
			}
		}
	}
}

// diagnosed reads a struct inet_diag_msg.
func diagnosed(m []byte) Socket {
	size := 4
	if m[0] == unix.AF_INET6 {
		size = 16
	}
	address := func(ip, port []byte) netip.AddrPort {
		a, _ := netip.AddrFromSlice(ip[:size])
		return netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(port))
	}
	s := Socket{Local: address(m[8:], m[4:]), Remote: address(m[24:], m[6:]), Queued: int64(binary.NativeEndian.Uint32(m[56:]))}
	if int(m[1]) < len(socketStates) {
		s.State = socketStates[m[1]]
	}
	return s
}
