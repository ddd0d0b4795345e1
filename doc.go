// Package chaos simulates the network's failures between a client and a server, in tests.
//
// A [Gate] stands before one server. Clients connect to the gate; the gate connects to the server and passes on what
// both say, until a test tells it to do worse:
//
//	gate := &chaos.Gate{Server: "127.0.0.1:5432"}
//	if err := gate.Start(); err != nil {
//		return err
//	}
//	defer gate.Close()
//	db := connect(gate.Addr()) // the client under test
//
//	slow := gate.ToClient.Add(chaos.Delay{By: 3 * time.Second})
//	_, err := db.Query("select 1")  // what does the client do now?
//	fmt.Println(err, slow.Hits())   // a fault that never fired proves nothing
//	slow.Lift()
//	_, err = db.Query("select 1")   // and does it recover?
//
// # Flows and faults
//
// The two directions are named by where the bytes go: [Gate.ToServer] and [Gate.ToClient]. Each is a [Flow] on which any
// number of faults can be imposed, changed and lifted at any time; each connection has two flows of its own as well:
//
//	gate.ToServer.Set(chaos.Bandwidth{Rate: 64 << 10}, chaos.Delay{By: 20 * time.Millisecond})
//	gate.ToClient.Set(chaos.Sometimes{Chance: 0.1, Fault: chaos.Close{Reset: true}})
//	gate.Conns()[0].ToClient.Add(chaos.Stall{})
//	gate.Heal() // lifts everything and opens the door
//
// When such a call returns, every connection obeys: no byte that a peer sends from then on is treated the old way. No
// call waits for a peer, however stuck it is. What is imposed is a value, its handle is an [Imposed]: it counts how
// often the fault has fired, and a test can wait for that.
//
// How new connections are received is the gate's [Door]: Open, Hold, Refuse or Blackhole. Live connections can be
// listed, waited for, closed and reset: [Gate.Conns], [Gate.WaitConns], [Gate.CloseConns], [Gate.ResetConns].
//
// # A perfect wire
//
// A gate that imposes nothing is not to be told from a direct connection by anything that a client or a server can see
// of its socket: half-closes, resets, data before a reset, back-pressure and urgent bytes are what they would be. A gate
// that imposes something does exactly that and no more. docs/wire.md lists what holds, and what no proxy can hide.
//
// # Datagrams
//
// With [Gate.Network] "udp" a gate carries datagrams. A [Conn] is then one client's session, which has its own socket to the
// server; it begins with the client's first datagram, expires when it was silent for [Gate.Expire], and ends without a
// word. A position is a datagram's number:
//
//	gate := &chaos.Gate{Network: "udp", Server: "127.0.0.1:53"}
//	...
//	gate.ToClient.Set(chaos.Lose{Chance: 0.05, Burst: 3}, chaos.Delay{By: 20 * time.Millisecond, Jitter: 10 * time.Millisecond})
//
// [Lose], [Duplicate], [Reorder], [Truncate], [MTU] and [Rebind] are for datagrams alone. What makes no sense for them, such
// as a [Slice] or a reset, is refused. [Stats] tells what faults have thrown away from what the gate or the kernel had
// no room for. docs/datagrams.md has the rest.
//
// # The same seed, the same faults
//
// Whatever is random depends on the gate's seed, the connection's number, the direction, the fault's number and the
// position in the stream, or the datagram's number, and on nothing else. The same seed and the same bytes give the same faults however the
// kernel happened to split the reads.
//
// # Faults of one's own
//
// A [Fault] stamps, it does not wait: it is given each [Segment] with the moment at which it may leave, and passes it on
// with that moment moved, its bytes changed, cut or dropped, or an end set behind them:
//
//	// Burst lets bytes through only during the first Open of every Period, like a radio that sleeps.
//	type Burst struct{ Period, Open time.Duration }
//
//	func (b Burst) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
//		start := st.Now()
//		return func(s chaos.Segment) {
//			if into := s.Due.Sub(start) % b.Period; into >= b.Open {
//				s.Due = s.Due.Add(b.Period - into)
//				st.Hit(len(s.Data))
//			}
//			next(s)
//		}
//	}
//
// Package chaostest makes gates for go test, and checks that such a fault keeps the rules. Package spec reads and writes
// faults and gates as text and JSON.
package chaos
