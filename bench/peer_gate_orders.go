package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
)

// gateOrders are what a gate in a child can be told to do.
type gateOrders struct {
	gate     *chaos.Gate
	stop     chan struct{} // closed to end the switching
	switched chan int      // how often it was done, when it has ended
	began    time.Time
}

// obey does what a line says:
//
//	set N         call Set so many times, with a fault and without in turns; answers how many nanoseconds each call took
//	switch N      set both flows to nothing, so many times a second
//	unswitch      no more; answers how many times a second it was done
//	work          answers how many objects were allocated, and how many bytes were delivered
func (o *gateOrders) obey(line string) string {
	order, number, _ := strings.Cut(line, " ")
	n, err := strconv.Atoi(number)
	switch {
	case order == "set" && err == nil:
		return o.set(n)
	case order == "switch" && err == nil:
		o.stop, o.switched, o.began = make(chan struct{}), make(chan int, 1), time.Now()
		go o.keepSwitching(time.Second / time.Duration(n))
		return "ok"
	case order == "unswitch" && o.stop != nil:
		close(o.stop)
		n := <-o.switched
		return fmt.Sprint(float64(n) / time.Since(o.began).Seconds())
	case order == "work":
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		s := o.gate.Stats()
		return fmt.Sprint(m.Mallocs, s.ToServer+s.ToClient)
	}
	return "error: no such order"
}

// set calls Set n times.
func (o *gateOrders) set(n int) string {
	var took strings.Builder
	for i := range n {
		var faults []chaos.Fault
		if i%2 == 0 {
			faults = []chaos.Fault{chaos.Delay{By: time.Millisecond}}
		}
		start := time.Now()
		o.gate.ToServer.Set(faults...)
		fmt.Fprintf(&took, "%d ", time.Since(start))
	}
	return took.String()
}

// keepSwitching sets both flows to nothing, once in each interval. It sleeps for a millisecond at least, as Go does, and
// then catches up.
func (o *gateOrders) keepSwitching(every time.Duration) {
	n := 0
	for {
		for ; time.Since(o.began) >= time.Duration(n)*every; n++ {
			o.gate.ToServer.Set()
			o.gate.ToClient.Set()
		}
		select {
		case <-o.stop:
			o.switched <- n
			return
		case <-time.After(every):
		}
	}
}
