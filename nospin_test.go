//go:build linux

package chaos_test

import (
	"io"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"golang.org/x/sys/unix"
)

// TestNothingToDoTakesNoCPU brings connections to where nothing can happen, and looks at what the process computes.
func TestNothingToDoTakesNoCPU(t *testing.T) {
	both := func(r *real, toServer, toClient []chaos.Fault) {
		r.gate.ToServer.Set(toServer...)
		r.gate.ToClient.Set(toClient...)
	}
	tests := []struct {
		name string
		do   func(t *testing.T, r *real)
	}{
		{"a stall with bytes and FIN", func(t *testing.T, r *real) {
			r.flow.Set(chaos.Stall{})
			r.sends(t, "abc")
			r.shuts(t)
		}},
		{"vanished both ways, and reset", func(t *testing.T, r *real) {
			both(r, []chaos.Fault{chaos.Vanish{}}, []chaos.Fault{chaos.Vanish{}})
			resetPeer(t, r.from)
		}},
		{"vanished before a stall, and reset", func(t *testing.T, r *real) {
			both(r, []chaos.Fault{chaos.Vanish{}, chaos.Stall{}}, []chaos.Fault{chaos.Stall{}})
			r.sends(t, "abc")
			says(t, r.to, "abc")
			resetPeer(t, r.from)
		}},
		{"a stall, and the receiver's reset vanishes", func(t *testing.T, r *real) {
			both(r, []chaos.Fault{chaos.Stall{}}, []chaos.Fault{chaos.Vanish{}})
			r.sends(t, "abc")
			resetPeer(t, r.to)
		}},
		{"a full window", func(t *testing.T, r *real) {
			r.flow.Set(chaos.Delay{By: time.Hour})
			writeUntilFull(t, r.from)
		}},
		{"a receiver that does not read, and an alarm that is far", func(t *testing.T, r *real) {
			r.flow.Set(chaos.Idle{For: time.Hour}, chaos.Bandwidth{Rate: 1 << 40})
			writeUntilFull(t, r.from)
		}},
		{"a receiver that does not read", func(t *testing.T, r *real) { writeUntilFull(t, r.from) }},
		{"a slow line with FIN", func(t *testing.T, r *real) {
			r.flow.Set(chaos.Bandwidth{Rate: 1})
			r.sends(t, "abcdefghijkl")
			r.shuts(t)
		}},
		{"code that writes more than is read", func(_ *testing.T, r *real) {
			r.flow.Set(chaos.Through(func(dst io.Writer, _ io.Reader) (err error) {
				for buf := make([]byte, 64<<10); err == nil; {
					_, err = dst.Write(buf)
				}
				return err
			}))
		}},
		{"a match that may come", func(t *testing.T, r *real) {
			r.flow.Set(chaos.Substitute{Pattern: "abc+"})
			r.sends(t, "ab")
		}},
		{"one direction has ended", func(t *testing.T, r *real) {
			r.shuts(t)
			says(t, r.to, "x")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			leavesNothing(t)
			r := realBehind(t, func(g *chaos.Gate) { g.Window = 8 << 20 })
			test.do(t, r)
			becomesQuiet(t)
		})
	}
}

// becomesQuiet waits for a while in which the process computes next to nothing. It has many, because a spin never ends, while the
// collector does, and what is still on its way when a test begins to look.
func becomesQuiet(t *testing.T) {
	t.Helper()
	const while, most = 250 * time.Millisecond, 25 * time.Millisecond
	var used time.Duration
	for range 20 {
		before := cpuUsed(t)
		time.Sleep(while) // real, because the kernel's account of this time is what is looked at
		if used = cpuUsed(t) - before; used < most {
			return
		}
	}
	t.Errorf("got %v of CPU in %v in which nothing can happen, want less than %v", used, while, most)
}

// cpuUsed returns the processor time that this process has used.
func cpuUsed(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
