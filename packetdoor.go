package chaos

import "net"

// A packetDoorway is the doors of a socket for datagrams. They concern every datagram that a client sends, since all of them come
// in by that one socket.
type packetDoorway struct{ x *exchange }

func (p *packetDoorway) allows(d Door) error    { return p.x.net.allows(d) }
func (p *packetDoorway) listener() net.Listener { return nil }
func (p *packetDoorway) answersItself() bool    { return true } // nobody accepts here
func (p *packetDoorway) ours(net.Conn) bool     { return false }
func (p *packetDoorway) close() error           { return p.x.stop() }

// turn is done by the exchange itself, so that it takes nothing the old way afterwards.
func (p *packetDoorway) turn(from, to Door) (err error) {
	x := p.x
	x.do(func() {
		if from == Open || from == Blackhole { // what has come by the old door is treated as by that
			x.net.drain(x)
		}
		if err = x.net.turn(from, to); err != nil {
			return
		}
		if from == Hold && to == Refuse { // what waits is lost, as a queue is that is reset
			x.gate.stats.lostDatagrams.Add(x.net.empty())
		}
		x.swallowed.Store(0)
		x.door.Store(uint32(to))
	})
	return err
}

func (p *packetDoorway) hits(now Door) int64 { return p.x.swallowed.Load() + p.x.net.hits(now) }
