//go:build linux

package wiretest

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// resourceChecks are the rows on flow control and on what a connection costs.
func resourceChecks() []Check {
	return []Check{
		{Row: 23, Name: "a_stopped_reader_is_felt", Unix: true, Run: stoppedReader},
		{Row: 26, Name: "short_connections_leave_nothing", Run: shortConnections},
		{Row: 26, Name: "two_descriptors_for_an_idle_connection", Run: idleDescriptors},
		{Row: 27, Name: "idle_connections_cost_nothing", Run: idleCost},
		{Row: 28, Name: "keep_alive_on_both_legs", Run: keepAlive},
		{Row: 28, Name: "a_dead_client_is_found", Run: deadPeer},
	}
}

// K returns the published bound of row 23: what one more hop of socket buffers can take, which is one receive buffer, one send
// buffer, and the pipe between.
func K() (int64, error) {
	k := int64(1 << 20)
	for _, file := range []string{"/proc/sys/net/ipv4/tcp_rmem", "/proc/sys/net/ipv4/tcp_wmem"} {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		f := strings.Fields(string(text))
		n, err := strconv.ParseInt(f[len(f)-1], 10, 64)
		if err != nil {
			return 0, err
		}
		k += n
	}
	return k, nil
}

// stoppedReader is row 23: the writer to a reader that has stopped is stopped, too, after K more bytes than directly at most; and
// when the reader goes on, every byte is there.
func stoppedReader(e *Env) error {
	k, err := K()
	if err != nil {
		return err
	}
	measure := func(via func(string) string, reverse bool) (int64, error) {
		r, err := newRig(e, via)
		if err != nil {
			return 0, err
		}
		defer r.close()
		client, server, err := r.pair()
		if err != nil {
			return 0, err
		}
		defer client.Close()
		defer server.Close()
		if reverse {
			client, server = server, client
		}
		return fillUp(client, server, 128<<20)
	}
	for _, reverse := range []bool{false, true} {
		direct, derr := measure(Direct, reverse)
		through, terr := measure(e.Via, reverse)
		if err := errors.Join(derr, terr); err != nil {
			return err
		}
		e.logf("a writer to a reader that has stopped gets rid of %d bytes directly, %d through (K is %d)", direct, through, k)
		if through > direct+k {
			return fmt.Errorf("a writer to a reader that has stopped gets rid of %d bytes, directly %d, want at most %d more", through, direct, k)
		}
	}
	return nil
}

// fillUp writes until nothing is taken for 300 ms, or limit is passed, and returns how much that was; then it reads all of it.
func fillUp(w, r stream, limit int64) (int64, error) {
	var written int64
	buf := make([]byte, chunk)
	for written < limit {
		fillPattern(buf, 1, written)
		if err := w.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			return 0, err
		}
		n, err := w.Write(buf)
		written += int64(n)
		if err != nil {
			break
		}
	}
	if err := w.CloseWrite(); err != nil {
		return 0, err
	}
	a := &actor{conn: r, receives: &source{seed: 1, size: written}, patience: 20 * time.Second}
	want := fmt.Sprintf("read %d, EOF", written)
	if got := a.read(step{size: -1}); got != want {
		return 0, fmt.Errorf("the reader that went on: got %s, want %s", got, want)
	}
	return written, nil
}

// shortConnections is row 26: however many connections there were, nothing is left of them, and memory does not grow.
func shortConnections(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	// The first connections start what is started once.
	for range 10 {
		if err := r.shortConnection(0); err != nil {
			return err
		}
	}
	serverPort, targetPort := r.ports()
	if _, err := Gone(time.Second, serverPort, targetPort); err != nil {
		return err
	}
	time.Sleep(50 * time.Millisecond) // for what the first ten leave to their goroutines' last moments
	descriptors, err := Descriptors()
	if err != nil {
		return err
	}
	goroutines := runtime.NumGoroutine()
	var half uint64
	n := e.Pick(2000, 50000)
	for i := range n {
		if err := r.shortConnection(i); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		if i == n/2 {
			half = inUse()
		}
	}
	if now := inUse(); now > half+slack {
		return fmt.Errorf("the second half of %d connections left %d bytes in use, want %d at most", n, now-half, slack)
	}
	if err := e.descriptorsBack(descriptors); err != nil {
		return err
	}
	return eventually(5*time.Second, func() error {
		if n := runtime.NumGoroutine(); n > goroutines {
			return fmt.Errorf("%d goroutines, before it were %d", n, goroutines)
		}
		return nil
	})
}

// slack is by how much what is in use may differ for other reasons. Of 25,000 connections each could leave ten bytes.
const slack = 256 << 10

// inUse returns how much memory the program holds that is no garbage.
func inUse() uint64 {
	runtime.GC()
	runtime.GC() // the first only sets apart what pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// shortConnection says a word each way and ends in one of four ways.
func (r *rig) shortConnection(i int) error {
	client, server, err := r.pair()
	if err != nil {
		return err
	}
	defer client.Close()
	defer server.Close()
	if _, err := client.Write([]byte("x")); err != nil {
		return err
	}
	if got := readErr(server); got != `read "x"` {
		return errors.New(got)
	}
	switch i % 4 {
	case 0:
		return client.Close()
	case 1:
		return server.Close()
	case 2:
		return Reset(client)
	default:
		return Reset(server)
	}
}

// idleDescriptors is the rest of row 26: an idle connection, even one that has moved bytes, holds two sockets and nothing else.
func idleDescriptors(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.shortConnection(0); err != nil { // starts what is started once
		return err
	}
	serverPort, targetPort := r.ports()
	if _, err := Gone(time.Second, serverPort, targetPort); err != nil {
		return err
	}
	before, err := Descriptors()
	if err != nil {
		return err
	}
	const n = 50
	conns, err := r.idlePairs(n)
	defer closeAll(conns)
	if err != nil {
		return err
	}
	// The client's socket, the server's, and two between; a few more for what the process keeps for all of them.
	if err := e.descriptorsBack(before + 4*n + 8); err != nil {
		return fmt.Errorf("%d idle connections: %w (two each are the client's and the server's own)", n, err)
	}
	return nil
}

// idlePairs opens n connections, moves 200 KiB each way through each, and leaves them idle.
func (r *rig) idlePairs(n int) (conns []stream, err error) {
	for i := range n {
		client, server, err := r.pair()
		if err != nil {
			return conns, err
		}
		conns = append(conns, client, server)
		for _, way := range [][2]stream{{client, server}, {server, client}} {
			size := int64(200 << 10)
			if i%2 == 0 {
				size = 10
			}
			out := &source{seed: 3, size: size}
			reader := &actor{conn: way[1], receives: out, patience: r.env.patience()}
			writer := &actor{conn: way[0], sends: out, patience: r.env.patience()}
			wrote := make(chan string, 1) // the writer's outcome
			go func() { wrote <- writer.send(step{size: size}) }()
			got, sent := reader.read(step{size: size}), <-wrote
			if got != fmt.Sprint("read ", size) || sent != fmt.Sprint("sent ", size) {
				return conns, fmt.Errorf("connection %d: %s, %s", i, sent, got)
			}
		}
	}
	return conns, nil
}

func closeAll(conns []stream) {
	for _, c := range conns {
		c.Close()
	}
}
