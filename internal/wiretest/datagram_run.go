//go:build linux

package wiretest

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// playDatagrams plays a script of datagrams, with the clients sending to what via makes of the server's address.
func playDatagrams(e *Env, steps []datagramStep, via func(server string) string, door func(p *datagramPlay, door string) error) (Trace, error) {
	server, err := ListenDatagrams(e.network(), e.datagramAddress())
	if err != nil {
		return nil, err
	}
	p := &datagramPlay{env: e, server: server.LocalAddr().String(), sockets: map[string]*net.UDPConn{"server": server}}
	defer p.close()
	p.target = via(p.server)
	trace := make(Trace, len(steps))
	for i := range steps {
		trace[i] = Event{Step: steps[i].text, Outcome: "not reached"}
	}
	for i, st := range steps {
		start := time.Now()
		switch st.actor {
		case "pause":
			time.Sleep(st.pause) // the script's own pause: the kernel's clock cannot be virtual
			trace[i].Outcome = "ok"
		case "settle":
			trace[i].Outcome = p.settle()
		case "door":
			if err := door(p, st.verb); err != nil {
				return nil, fmt.Errorf("%s: %w", st.text, err)
			}
			trace[i].Outcome = "ok"
		default:
			trace[i].Outcome = p.do(st)
		}
		trace[i].Took = time.Since(start)
		if trace[i].timedOut() {
			break
		}
	}
	return trace, nil
}

// settle waits until nothing lies unread where the clients send to, and a little longer.
func (p *datagramPlay) settle() string {
	for end := time.Now().Add(p.env.patience()); ; {
		sockets, err := DatagramSockets(portOf(p.target))
		if err != nil {
			return errName(err)
		}
		unread := slices.ContainsFunc(sockets, func(s DatagramSocket) bool {
			return int(s.Local.Port()) == portOf(p.target) && s.Queued > 0
		})
		if !unread {
			time.Sleep(50 * time.Millisecond) // what was taken may still be on its way, and nothing tells
			return "ok"
		}
		if time.Now().After(end) {
			return "timeout"
		}
		time.Sleep(time.Millisecond) // the kernel tells nobody when a socket was read
	}
}

// close closes every socket that is open.
func (p *datagramPlay) close() {
	for _, c := range p.sockets {
		if c != nil {
			c.Close()
		}
	}
}

// serversDoor does to the server's socket itself what a door does: nobody listens, nobody reads, or all that comes is thrown away
// until it opens.
func serversDoor() func(p *datagramPlay, door string) error {
	was := "open"
	return func(p *datagramPlay, door string) (err error) {
		switch server := p.sockets["server"]; {
		case door == "refuse":
			p.sockets["server"], err = nil, server.Close()
		case was == "refuse":
			err = p.open("server", func() (*net.UDPConn, error) { return ListenDatagrams(p.env.network(), p.server) })
		case was == "blackhole":
			buf := make([]byte, 1)
			for pollSocket(server, 1, 0, "") != "" { // POLLIN
				if _, err := server.Read(buf); err != nil {
					return err
				}
			}
		}
		was = door
		return err
	}
}

// CompareDatagrams plays a script of datagrams directly and through e.Via and returns an error if the two runs can be told apart.
func CompareDatagrams(e *Env, text string) error {
	steps, err := parseDatagrams(e, text)
	if err != nil {
		return err
	}
	direct, err := playDatagrams(e, steps, Direct, serversDoor())
	if err != nil {
		return err
	}
	for _, ev := range direct {
		for _, bad := range []string{"timeout", "nobody sent", "not for", "which was for", "as one of", "no socket", "no such peer"} {
			if strings.Contains(ev.Outcome, bad) {
				return fmt.Errorf("the script is at fault: run directly it gives\n%s", direct)
			}
		}
	}
	door := serversDoor()
	if e.Door != nil {
		door = func(_ *datagramPlay, door string) error { return e.Door(door) }
	}
	through, err := playDatagrams(e, steps, e.Via, door)
	if err != nil {
		return err
	}
	if d := Diff(direct, through); d != "" {
		return fmt.Errorf("told apart from a direct socket:\n%s", d)
	}
	return nil
}
