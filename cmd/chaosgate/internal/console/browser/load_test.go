package browser

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
)

// TestCrowd looks at 200 gates with 2,000 busy connections, of which some come and go so that there are 10,000 events a minute and more, and
// prints what that costs the page and the daemon. What must hold is that the page keeps up: it is asked to do things meanwhile, and does them.
func TestCrowd(t *testing.T) {
	if testing.Short() {
		t.Skip("2,000 connections are not made with -short")
	}
	const gates, each = 200, 10
	d := serve(t, "127.0.0.1:0")
	server := echo(t)
	var asked atomic.Int64
	var clients sync.WaitGroup
	stop := make(chan struct{}) // closed when the clients are to end
	t.Cleanup(func() {
		close(stop)
		clients.Wait()
	})
	for i := range gates {
		name := fmt.Sprintf("gate-%03d", i)
		g := d.gate(t, spec.Gate{Name: name, Server: server})
		for j := range each {
			clients.Add(1)
			go func() { // ends with the test
				defer clients.Done()
				busy(g.Listen, 10+(i*each+j)%200, stop, &asked)
			}()
		}
	}
	where := client.Where{Gate: "gate-007", Direction: chaos.ToClient}
	if _, err := d.Add(t.Context(), where, spec.EntriesOf(chaos.Delay{By: time.Millisecond})); err != nil {
		t.Fatal(err)
	}
	p := open(t, d.url+"/#events=is:all")
	p.size(1600, 950)
	p.sees(".gates .bar", "200 gates")
	p.sees(".legend", "connections")
	call(p, performance.Enable, performance.EnableParams{})

	accepted := func() (n int64) {
		all, err := d.Gates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range all {
			n += g.Stats.Accepted
		}
		return n
	}
	measure := func(what string, of time.Duration) {
		cpu, page, frames, begun, questions, conns := processorTime(d.cmd.Process.Pid), taskTime(p), "", time.Now(), asked.Load(), accepted()
		frames = eval[string](p, fmt.Sprintf(`new Promise(done => {
			const begun = performance.now(); let last = begun, worst = 0, n = 0;
			const frame = now => { worst = Math.max(worst, now - last); last = now; n++; now - begun > %d ? done(n + " frames, the longest " + Math.round(worst) + " ms") : requestAnimationFrame(frame) };
			requestAnimationFrame(frame);
		})`, of.Milliseconds()))
		took := time.Since(begun)
		share := func(t time.Duration) string { return fmt.Sprintf("%.0f %%", 100*t.Seconds()/took.Seconds()) }
		t.Logf("%s: the page takes %s of a core, the daemon %s; %s in %.1f s; %.0f exchanges a second, %.0f events a minute", what, share(taskTime(p)-page), share(processorTime(d.cmd.Process.Pid)-cpu), frames, took.Seconds(), float64(asked.Load()-questions)/took.Seconds(), 2*60*float64(accepted()-conns)/took.Seconds()) // each is opened and closed
	}
	measure("all gates and all events", 10*time.Second)
	p.show("#gate=gate-007&tab=conns")
	p.sees(".conns .bar", "10")
	measure("one gate and its connections", 10*time.Second)
	list, err := d.Conns(t.Context(), "gate-007")
	if err != nil || len(list) == 0 {
		t.Fatalf("got %d connections, %v, want some", len(list), err)
	}
	p.click("#heal", "Heal everything")
	p.sees(".last", "1 fault lifted")
	eval[int](p, `document.querySelector("#gates").scrollTop = 1e6`)
	p.sees(".gate-row", "gate-199")
	if rows := eval[int](p, `document.querySelectorAll(".v-row").length`); rows > 200 {
		t.Errorf("got %d rows in the page, want those in sight", rows)
	}
	if events := eval[int](p, `document.querySelectorAll("*").length`); events > 5000 {
		t.Errorf("got %d elements in the page, want not more than it shows", events)
	}
	p.show("#events=is:all")
	p.sees(".rail .event", "closed")
	d.end()
	p.expect("ERR_")
}

// busy exchanges something ten times a second, and connects again after so many exchanges at first, and then after some seconds.
func busy(addr string, first int, stop <-chan struct{}, asked *atomic.Int64) {
	data := make([]byte, 512)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		for range first {
			select {
			case <-stop:
				c.Close()
				return
			case <-tick.C:
			}
			if _, err := c.Write(data); err != nil {
				break
			}
			if _, err := c.Read(data); err != nil {
				break
			}
			asked.Add(1)
		}
		c.Close()
		first = 120 + int(asked.Load()%100)
	}
}

// taskTime returns how long the page has worked.
func taskTime(p *page) time.Duration {
	for _, m := range call(p, performance.GetMetrics, cdp.Empty{}).Metrics {
		if m.Name == "TaskDuration" {
			return time.Duration(m.Value * float64(time.Second))
		}
	}
	return 0
}

// processorTime returns how long a process has had processors, where the kernel tells.
func processorTime(pid int) time.Duration {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	user, _ := strconv.Atoi(fields[11]) // they are numbers where there is such a file
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // in hundredths of a second, on all of Linux
}
