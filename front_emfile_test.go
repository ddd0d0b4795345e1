//go:build linux

package chaos

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFrontSurvivesWithoutDescriptors lets a child process run out of descriptors: what
// lives must go on, the processor must stay idle, and accepting must resume.
func TestFrontSurvivesWithoutDescriptors(t *testing.T) {
	const room, clients = 20, 60
	child := startFrontChild(t, room)

	var conns []net.Conn
	for range clients {
		c, err := net.DialTimeout("tcp", child.addr, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	var accepted, errs, cpu int64
	eventually(t, "out of descriptors", func() bool {
		accepted, errs, cpu = child.ask(t)
		return errs > 0
	})
	if accepted == 0 || accepted > room {
		t.Fatalf("accepted: got %d, want some and at most %d", accepted, room)
	}
	for range 10 {
		for _, c := range conns[:accepted] {
			if err := frontEchoes(c, "still here"); err != nil {
				t.Errorf("a live connection: %v", err)
			}
		}
	}

	_, errs, cpu = child.ask(t)
	time.Sleep(time.Second) // real, because a busy loop shows only in time that passes
	_, errs2, cpu2 := child.ask(t)
	// With pauses of up to a second only a few attempts fit; a busy loop makes thousands.
	if got := errs2 - errs; got > 20 {
		t.Errorf("errors in a second: got %d, want at most 20", got)
	}
	if got := time.Duration(cpu2 - cpu); got > 500*time.Millisecond {
		t.Errorf("processor time in a second: got %v, want next to none", got)
	}

	// As the first clients go, the others are served, by and by all of them.
	for i, c := range conns {
		if err := frontEchoes(c, "my turn"); err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		c.Close()
	}
}

// A frontChild is a process that runs one front.
type frontChild struct {
	addr string
	in   *os.File
	out  *bufio.Reader
}

// ask returns how many connections the child has accepted, how many errors it was told
// and how many nanoseconds of processor time it has used.
func (c *frontChild) ask(t *testing.T) (accepted, errs, cpu int64) {
	t.Helper()
	fmt.Fprintln(c.in, "?")
	line, _ := c.out.ReadString('\n')
	if _, err := fmt.Sscan(line, &accepted, &errs, &cpu); err != nil {
		t.Fatalf("child said %q: %v", line, err)
	}
	return accepted, errs, cpu
}

// startFrontChild runs this test's program again as a front that has room for so many
// more descriptors.
func startFrontChild(t *testing.T, room int) *frontChild {
	t.Helper()
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFrontChild$")
	cmd.Env = append(os.Environ(), fmt.Sprint(frontChildRoom, "=", room))
	cmd.ExtraFiles = []*os.File{inR, outW}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inR.Close()
	outW.Close()
	c := &frontChild{in: inW, out: bufio.NewReader(outR)}
	t.Cleanup(func() {
		inW.Close() // which ends the child
		outR.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("child: %v", err)
		}
	})
	if _, err := fmt.Fscanln(c.out, &c.addr); err != nil {
		t.Fatal(err)
	}
	return c
}

// frontChildRoom is the environment variable that makes TestFrontChild a child.
const frontChildRoom = "CHAOS_TEST_FRONT_ROOM"

// TestFrontChild is the process of startFrontChild, and does nothing by itself.
func TestFrontChild(t *testing.T) {
	var room int
	if _, err := fmt.Sscan(os.Getenv(frontChildRoom), &room); err != nil {
		t.Skip("only a child of another test")
	}
	in, out := os.NewFile(3, "in"), os.NewFile(4, "out")
	e := startFront(t, "tcp", "", nil)
	// Descriptors are given from the lowest free number up.
	free, err := unix.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(free)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = uint64(free + room)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(out, e.addr())
	questions := bufio.NewScanner(in)
	for questions.Scan() {
		var used unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(out, e.accepted.Load(), e.errs.Load(), used.Utime.Nano()+used.Stime.Nano())
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
}
