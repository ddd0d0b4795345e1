//go:build linux

package wiretest

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// stream is what the sockets of TCP and of unix have in common.
type stream interface {
	net.Conn
	CloseWrite() error
	CloseRead() error
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error
	rawConn
}

// An actor is one side of a script.
type actor struct {
	name     string
	conn     stream
	rcvbuf   int     // asked for before there is a connection
	sends    *source // what it sends
	receives *source // what it should receive
	received int64
	patience time.Duration
	steps    sync.WaitGroup // those in the background
}

// close closes the connection, if there is one.
func (a *actor) close() {
	if a.conn != nil {
		a.conn.Close()
	}
}

// do performs a step on an established connection and says what came of it.
func (a *actor) do(st step) string {
	if a.conn == nil {
		return "no connection"
	}
	switch st.verb {
	case "send", "say":
		return a.send(st)
	case "oob":
		return a.urgent(st)
	case "read":
		return a.read(st)
	case "quiet":
		return a.poll(unix.POLLIN, st.pause, "quiet")
	case "hears":
		return a.poll(0, a.patience, "timeout")
	case "drain":
		return a.drain()
	case "shut":
		return errName(a.conn.CloseWrite())
	case "shutrd":
		return errName(a.conn.CloseRead())
	case "close":
		return errName(a.conn.Close())
	case "reset":
		return errName(Reset(a.conn))
	case "inline":
		return errName(setOption(a.conn, unix.SOL_SOCKET, unix.SO_OOBINLINE, 1))
	case "nagle":
		return errName(setOption(a.conn, unix.IPPROTO_TCP, unix.TCP_NODELAY, 0))
	default:
		return "unknown verb"
	}
}

// chunk is the size of a single read or write where a script gives none.
const chunk = 64 << 10

// size returns the size of the ith read or write of a step.
func (st *step) chunk(i int) int64 {
	if len(st.by) == 0 {
		return chunk
	}
	return int64(st.by[i%len(st.by)])
}

func (a *actor) send(st step) string {
	a.conn.SetWriteDeadline(time.Now().Add(a.patience))
	buf := make([]byte, 0, chunk)
	var sent int64
	var err error
	for i := 0; sent < st.size && err == nil; i++ {
		if i > 0 && st.gap > 0 {
			time.Sleep(st.gap) // the script's own pace, on real sockets
		}
		want := min(st.chunk(i), st.size-sent)
		buf = sized(buf, want)
		a.sends.fill(buf, st.offset+sent)
		var n int
		n, err = a.conn.Write(buf)
		sent += int64(n)
	}
	return outcome(st, "sent", sent, err)
}

func (a *actor) urgent(st step) string {
	var err error
	werr := withFD(a.conn, func(fd int) { err = unix.Sendto(fd, []byte(st.data), unix.MSG_OOB|unix.MSG_NOSIGNAL, nil) })
	if werr != nil {
		err = werr
	}
	return errName(err)
}

// read reads what the step asks for. Short messages are shown, long ones counted; either way each byte is compared with what
// the other actor sent at that place.
func (a *actor) read(st step) string {
	a.conn.SetReadDeadline(time.Now().Add(a.patience))
	got, want := make([]byte, 0, chunk), make([]byte, 0, chunk)
	var shown []byte
	var n int64
	var err error
	wrong := int64(-1)
	for i := 0; (st.size < 0 || n < st.size) && err == nil; i++ {
		if i > 0 && st.gap > 0 {
			time.Sleep(st.gap) // a slow reader of the script's own making
		}
		size := st.chunk(i)
		if st.size >= 0 {
			size = min(size, st.size-n)
		}
		got = sized(got, size)
		var k int
		k, err = a.conn.Read(got)
		if st.gap == 0 && k > 0 {
			a.conn.SetReadDeadline(time.Now().Add(a.patience))
		}
		want = sized(want, int64(k))
		a.receives.fill(want, a.received+n)
		if wrong < 0 && (!bytes.Equal(got[:k], want) || a.received+n+int64(k) > a.receives.size) {
			wrong = a.received + n + differAt(got[:k], want)
		}
		if len(shown) <= 32 {
			shown = append(shown, got[:min(k, 33)]...)
		}
		n += int64(k)
	}
	a.received += n
	if n > 0 && n <= 32 && len(a.receives.pieces) > 0 {
		if err != nil {
			return fmt.Sprintf("read %q, %s", shown, errName(err))
		}
		return fmt.Sprintf("read %q", shown)
	}
	if wrong >= 0 {
		return fmt.Sprintf("read %d, wrong at %d, %s", n, wrong, errName(err))
	}
	return outcome(st, "read", n, err)
}

// differAt returns the first index at which two slices differ.
func differAt(a, b []byte) int64 {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return int64(i)
		}
	}
	return int64(min(len(a), len(b)))
}

func outcome(st step, did string, n int64, err error) string {
	count := fmt.Sprint(n)
	if st.loose {
		count = "some"
	}
	if err == nil {
		return did + " " + count
	}
	return fmt.Sprintf("%s %s, %s", did, count, errName(err))
}

// sized returns buf with length n, grown if it must be.
func sized(buf []byte, n int64) []byte {
	if int64(cap(buf)) < n {
		return make([]byte, n)
	}
	return buf[:n]
}
