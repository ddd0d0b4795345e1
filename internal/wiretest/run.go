//go:build linux

package wiretest

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// An Env is what a check runs in.
type Env struct {
	// Network is "tcp" if empty; also "tcp4", "tcp6", "unix".
	Network string

	// Via puts the thing under test before the server with this address, and returns the address for clients. What it starts it
	// ends by itself when the test ends.
	Via func(server string) string

	// Door sets the door of what Via has put there last, to "open", "refuse", "hold" or "blackhole", in scripts of datagrams that
	// have doors. If nil, what is done directly to the server's socket is done to it here, too.
	Door func(door string) error

	// Overtaking says that datagrams of different clients may overtake each other, as they do where a fault has each wait for its own
	// moment. Those of one client may not.
	Overtaking bool

	// Soak asks for the full sizes and counts of the contract instead of those that fit into a test run.
	Soak bool

	// Patience is how long a step may take before a run is given up; 10 seconds if zero, two minutes under Soak.
	Patience time.Duration

	// Dir is where unix sockets are put.
	Dir string

	// Logf takes what was measured. It may be nil.
	Logf func(format string, args ...any)
}

// pick returns small, or full under Soak.
func pick[N int | int64 | time.Duration](e *Env, small, full N) N {
	if e.Soak {
		return full
	}
	return small
}

// Pick returns small, or full under Soak.
func (e *Env) Pick(small, full int) int { return pick(e, small, full) }

func (e *Env) logf(format string, args ...any) {
	if e.Logf != nil {
		e.Logf(format, args...)
	}
}

// patience is how long a step may take before the run is given up.
func (e *Env) patience() time.Duration {
	if e.Patience > 0 {
		return e.Patience
	}
	return pick(e, 10*time.Second, 2*time.Minute)
}

func (e *Env) network() string {
	if e.Network == "" {
		return "tcp"
	}
	return e.Network
}

// Direct is the Via of a direct connection.
func Direct(server string) string { return server }

// Run plays a script, with the client connecting to what via makes of the server's address.
func Run(e *Env, s *Script, via func(server string) string) (Trace, error) {
	ln, err := e.listen(s.rcvbuf("server"))
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	target := via(ln.Addr().String())
	client := &actor{name: "client", sends: s.source["client"], receives: s.source["server"], rcvbuf: s.rcvbuf("client")}
	server := &actor{name: "server", sends: s.source["server"], receives: s.source["client"]}
	actors := map[string]*actor{"client": client, "server": server}
	for _, a := range actors {
		a.patience = e.patience()
	}
	trace := make(Trace, len(s.steps))
	for i, st := range s.steps {
		trace[i] = Event{Step: st.text, Outcome: "not reached", Within: st.within}
		perform := func() {
			start := time.Now()
			switch st.verb {
			case "pause":
				time.Sleep(st.pause) // the script's own pause: the kernel's clock cannot be virtual
				trace[i].Outcome = "ok"
			case "rcvbuf":
				trace[i].Outcome = "ok"
			case "connect":
				c, err := e.dial(target, client.rcvbuf)
				client.conn = c
				trace[i].Outcome = errName(err)
			case "accept":
				c, err := accept(ln, e.patience())
				server.conn = c
				trace[i].Outcome = errName(err)
			case "wait":
				actors[st.actor].steps.Wait()
				trace[i].Outcome = "ok"
			default:
				trace[i].Outcome = actors[st.actor].do(st)
			}
			trace[i].Took = time.Since(start)
		}
		if st.background {
			actors[st.actor].steps.Go(perform)
			continue
		}
		perform()
		if trace[i].timedOut() {
			client.close() // nothing more will come; this ends what is in the background
			server.close()
			break
		}
	}
	client.steps.Wait()
	server.steps.Wait()
	client.close()
	server.close()
	return trace, nil
}

// rcvbuf returns the receive buffer that a script asks for, or 0.
func (s *Script) rcvbuf(actor string) int {
	for _, st := range s.steps {
		if st.actor == actor && st.verb == "rcvbuf" {
			return int(st.size)
		}
	}
	return 0
}

// attempts is how often a script with limits on time is played before it is called too slow.
const attempts = 5

// Compare plays a script directly and through e.Via and returns an error if the two runs can be told apart.
//
// Where a step has a limit, the run through must keep it in one of five attempts, with what the direct run needed on top, since
// machines are busy; but no attempt may pass it by more than half a second, since busy machines are not that busy.
func Compare(e *Env, text string) error {
	script, err := Parse(text)
	if err != nil {
		return err
	}
	var slow string
	for range attempts {
		direct, err := Run(e, script, Direct)
		if err != nil {
			return err
		}
		for _, ev := range direct {
			if ev.timedOut() || strings.Contains(ev.Outcome, "wrong") || strings.Contains(ev.Outcome, "no connection") {
				return fmt.Errorf("the script is at fault: run directly it gives\n%s", direct)
			}
		}
		through, err := Run(e, script, e.Via)
		if err != nil {
			return err
		}
		if d := Diff(direct, through); d != "" {
			return fmt.Errorf("told apart from a direct connection:\n%s", d)
		}
		slow = ""
		for i, ev := range through {
			if ev.Within == 0 || ev.Took <= ev.Within+direct[i].Took {
				continue
			}
			slow = fmt.Sprintf("%s took %v, directly %v, allowed %v more", ev.Step, ev.Took, direct[i].Took, ev.Within)
			if ev.Took > ev.Within+direct[i].Took+500*time.Millisecond {
				return fmt.Errorf("%s\n%s", slow, through)
			}
		}
		if slow == "" {
			return nil
		}
		e.logf("%s", slow)
	}
	return fmt.Errorf("%s, in each of %d attempts", slow, attempts)
}

// listen opens the server's listener.
func (e *Env) listen(rcvbuf int) (net.Listener, error) {
	var address string
	switch e.network() {
	case "unix":
		address = filepath.Join(e.Dir, fmt.Sprintf("server%d.sock", serial.Add(1)))
	case "tcp6":
		address = "[::1]:0"
	default:
		address = "127.0.0.1:0"
	}
	return listen(e.network(), address, rcvbuf)
}
