//go:build linux

package wiretest

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// legs opens a connection and finds the sockets of what stands between. There are none on a direct connection.
func (r *rig) legs() (client, server stream, front, back []int, err error) {
	client, server, err = r.pair()
	if err != nil {
		return nil, nil, nil, nil, err
	}
	// What a byte has passed through both ways has set its options, too.
	serverPort, targetPort := r.ports()
	err = stillAlive([]stream{client, server})
	if err == nil && serverPort != targetPort {
		front, back, err = Legs(serverPort, targetPort)
		if err == nil && (len(front) != 1 || len(back) != 1) {
			err = fmt.Errorf("%d sockets towards the client and %d towards the server, want one each", len(front), len(back))
		}
	}
	if err != nil {
		client.Close()
		server.Close()
	}
	return client, server, front, back, err
}

// keepAlive is row 28: the kernel probes both legs, since neither program can see the other's machine die.
func keepAlive(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	client, server, front, back, err := r.legs()
	if err != nil {
		return err
	}
	defer client.Close()
	defer server.Close()
	for name, fds := range map[string][]int{"client": front, "server": back} {
		for _, fd := range fds {
			on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE)
			if err != nil {
				return err
			}
			if on == 0 {
				return fmt.Errorf("no keep-alive towards the %s", name)
			}
		}
	}
	return nil
}

// deadPeer is the rest of row 28: a peer whose machine has died is found, and the other peer hears of it. Which of the two dies
// is played by a socket filter that drops whatever arrives; the probes are hurried so that the test need not wait for minutes.
func deadPeer(e *Env) error {
	for _, serverDies := range []bool{false, true} {
		if err := onePeerDies(e, serverDies); err != nil {
			return err
		}
	}
	return nil
}

func onePeerDies(e *Env, serverDies bool) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	client, server, front, back, err := r.legs()
	if err != nil {
		return err
	}
	defer client.Close()
	defer server.Close()
	if front == nil {
		return nil // directly, the program's own keep-alive is all there is
	}
	dead, alive, leg, who := client, server, front[0], "client"
	if serverDies {
		dead, alive, leg, who = server, client, back[0], "server"
	}
	err = errors.Join(dropEverything(dead),
		unix.SetsockoptInt(leg, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 1),
		unix.SetsockoptInt(leg, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 1),
		unix.SetsockoptInt(leg, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 1))
	if err != nil {
		return err
	}
	if err := alive.SetReadDeadline(time.Now().Add(6 * time.Second)); err != nil {
		return err
	}
	if got := readErr(alive); got != "ECONNRESET" {
		return fmt.Errorf("the %s is dead: the other reads %s, want ECONNRESET", who, got)
	}
	return nil
}

// dropEverything makes the kernel drop every segment that arrives for the socket: it neither acknowledges nor answers.
func dropEverything(c stream) error {
	drop := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	var err error
	ferr := withFD(c, func(fd int) {
		err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop})
	})
	return errors.Join(ferr, err)
}
