package chaostest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chaosgate/chaos"
)

func TestPacketDoors(t *testing.T) {
	tests := []struct {
		doors   []chaos.Door // set one after the other, with a datagram before the first and behind each
		read    string       // what is read then
		refused bool         // the last one was
		hits    int64
		opened  string // what is read when the door opens again
	}{
		{[]chaos.Door{chaos.Open}, "01", false, 0, ""},
		{[]chaos.Door{chaos.Hold}, "", false, 2, "01"},
		{[]chaos.Door{chaos.Refuse}, "", true, 0, ""},
		{[]chaos.Door{chaos.Blackhole}, "0", false, 1, ""},
		{[]chaos.Door{chaos.Blackhole, chaos.Blackhole}, "0", false, 2, ""},
		{[]chaos.Door{chaos.Hold, chaos.Blackhole}, "", false, 3, ""},
		{[]chaos.Door{chaos.Hold, chaos.Refuse}, "", true, 0, ""},
		{[]chaos.Door{chaos.Hold, chaos.Open}, "012", false, 0, ""},
		{[]chaos.Door{chaos.Hold, chaos.Hold}, "", false, 3, "012"},
		{[]chaos.Door{chaos.Blackhole, chaos.Hold}, "", false, 2, "02"},
		{[]chaos.Door{chaos.Blackhole, chaos.Refuse}, "", true, 0, ""},
		{[]chaos.Door{chaos.Blackhole, chaos.Open, chaos.Blackhole}, "02", false, 1, ""},
		{[]chaos.Door{chaos.Refuse, chaos.Open}, "2", false, 0, ""},
		{[]chaos.Door{chaos.Refuse, chaos.Hold}, "", false, 1, "2"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.doors), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := NewNetwork()
				s := packetListen(t, n, "udp", "")
				var refused bool
				send := func(i int) {
					c := packetDial(t, n, s)
					defer c.Close()
					if _, err := fmt.Fprint(c, i); err != nil {
						t.Error(err)
					}
					_, err := c.Write(nil)
					refused = errors.Is(err, syscall.ECONNREFUSED)
				}
				// read takes what is there. The empty datagrams, with which send looks for a refusal, are no text.
				read := func() (text string) {
					for {
						p := make([]byte, 9)
						s.SetReadDeadline(time.Now().Add(time.Second))
						n, _, err := s.ReadFrom(p)
						if err != nil {
							if !errors.Is(err, os.ErrDeadlineExceeded) {
								t.Error(err)
							}
							return text
						}
						text += string(p[:n])
					}
				}
				send(0)
				for i, door := range tt.doors {
					if err := s.SetDoor(door); err != nil {
						t.Fatal(err)
					}
					send(i + 1)
				}
				if refused != tt.refused {
					t.Errorf("refused: got %v, want %v", refused, tt.refused)
				}
				if got := s.DoorHits(); got != 2*tt.hits { // an empty one comes with each
					t.Errorf("hits: got %d, want %d", got, 2*tt.hits)
				}
				if got := read(); got != tt.read {
					t.Errorf("read: got %q, want %q", got, tt.read)
				}
				if err := s.SetDoor(chaos.Open); err != nil {
					t.Fatal(err)
				}
				if got := read(); got != tt.opened {
					t.Errorf("read when it is open again: got %q, want %q", got, tt.opened)
				}
			})
		})
	}
}

func TestPacketDoorMovesWhileReading(t *testing.T) {
	calls := map[string]func(s *memPacketConn) error{
		"Read":     func(s *memPacketConn) error { _, err := s.Read(make([]byte, 9)); return err },
		"ReadFrom": func(s *memPacketConn) error { _, _, err := s.ReadFrom(make([]byte, 9)); return err },
		"WaitRead": (*memPacketConn).WaitRead,
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := NewNetwork()
				s := packetListen(t, n, "udp", "")
				c := packetDial(t, n, s)
				outcome := make(chan error, 1)
				go func() { outcome <- call(s) }()
				synctest.Wait() // parked while the door is open
				s.SetDoor(chaos.Hold)
				c.Write([]byte("held"))
				synctest.Wait()
				select {
				case err := <-outcome:
					t.Errorf("while on hold: got %v, want nothing", err)
				default:
				}
				s.SetDoor(chaos.Open)
				if err := <-outcome; err != nil {
					t.Errorf("when it is open: got %v", err)
				}
			})
		})
	}
}

func TestPacketHoldKeepsNoMoreThanTheBuffer(t *testing.T) {
	n := &Network{Buffer: 3 * (100 + datagramCost)}
	s := packetListen(t, n, "udp", "")
	c := packetDial(t, n, s)
	s.SetDoor(chaos.Hold)
	for range 5 {
		c.Write(make([]byte, 100))
	}
	if hits, drops := s.DoorHits(), s.Drops(); hits != 3 || drops != 2 {
		t.Errorf("got %d hits and %d drops, want 3 and 2", hits, drops)
	}
}

func TestPacketDoorsThatCannotBe(t *testing.T) {
	n := NewNetwork()
	s, closed := packetListen(t, n, "udp", ""), packetListen(t, n, "udp", "")
	closed.Close()
	tests := []struct {
		name string
		s    *memPacketConn
		door chaos.Door
		want string
	}{
		{"an unknown door", s, chaos.Blackhole + 1, "set udp 127.0.0.1:40001: door 4 is not one of open, hold, refuse and blackhole"},
		{"a closed socket", closed, chaos.Hold, "set udp 127.0.0.1:40002: use of closed network connection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.s.SetDoor(tt.door); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	packetDial(t, n, s).Write([]byte("x")) // what was refused has changed nothing
	if n, err := s.Read(make([]byte, 9)); n != 1 || err != nil {
		t.Errorf("read: got %d, %v, want 1", n, err)
	}
}

func TestPacketDoorsOfAGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		s := packetListen(t, n, "udp", "")
		defer s.Close()
		gate := NewGate(t, s.LocalAddr().String(), func(g *chaos.Gate) {
			g.Network, g.ListenPacket, g.DialContext = "udp", n.ListenPacket, n.Dial
		})
		c, err := n.Dial(t.Context(), "udp", gate.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		steps := []struct {
			door    chaos.Door
			arrived int   // how many of the datagrams sent so far are at the server
			hits    int64 // of the door
			refused bool
		}{
			{chaos.Open, 1, 0, false},
			{chaos.Hold, 1, 1, false},
			{chaos.Open, 3, 0, false},
			{chaos.Blackhole, 3, 1, false},
			{chaos.Refuse, 3, 0, true},
			{chaos.Hold, 3, 1, false},
			{chaos.Blackhole, 3, 2, false},
			{chaos.Open, 4, 0, false},
		}
		arrived := 0
		for i, step := range steps {
			if err := gate.SetDoor(step.door); err != nil {
				t.Fatal(err)
			}
			c.Write([]byte("x"))
			synctest.Wait()
			if got := c.(*memPacketConn).takeRefusal(); got != step.refused {
				t.Errorf("step %d: refused: got %v, want %v", i, got, step.refused)
			}
			for s.waiting() > 0 {
				s.Read(make([]byte, 9))
				arrived++
			}
			if arrived != step.arrived || gate.DoorHits() != step.hits {
				t.Errorf("step %d, %v: got %d arrived and %d hits, want %d and %d", i, step.door, arrived, gate.DoorHits(), step.arrived, step.hits)
			}
		}
	})
}

// takeRefusal reports whether the socket has been refused, and takes that away.
func (c *memPacketConn) takeRefusal() bool {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	refused := c.refused
	c.refused = false
	return refused
}

// waiting is the number of datagrams that nobody has read.
func (c *memPacketConn) waiting() int {
	c.packets.mu.Lock()
	defer c.packets.mu.Unlock()
	return c.queue.size()
}
