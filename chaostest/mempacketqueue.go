package chaostest

import "net/netip"

// datagramCost is what a datagram takes of a buffer besides its bytes, so that empty ones have a bound as well: what Linux
// counts for the smallest.
const datagramCost = 832

// A memDatagrams is the receive buffer of a UDP socket: datagrams in the order of arrival. Its fields are guarded by the
// network's mutex.
type memDatagrams struct {
	limit int    // how many bytes it holds, each datagram counted with its cost
	data  []byte // the datagrams that wait, one after the other, from head on
	head  int
	sizes []memDatagram // what data consists of, from first on
	first int
}

// A memDatagram is a datagram that waits.
type memDatagram struct {
	from netip.AddrPort
	size int
}

// size is the number of datagrams that wait.
func (q *memDatagrams) size() int { return len(q.sizes) - q.first }

// put takes a copy of the datagram p, or reports that there is no room. An empty buffer has room for any.
func (q *memDatagrams) put(p []byte, from netip.AddrPort) bool {
	if waiting := q.size(); waiting > 0 && len(q.data)-q.head+len(p)+(waiting+1)*datagramCost > q.limit {
		return false
	}
	q.data, q.head = moveUp(q.data, q.head, len(p))
	q.data = append(q.data, p...)
	q.sizes, q.first = moveUp(q.sizes, q.first, 1)
	q.sizes = append(q.sizes, memDatagram{from, len(p)})
	return true
}

// take moves the earliest datagram into p, as much of it as fits; the rest is lost. It is called only when size is not zero.
func (q *memDatagrams) take(p []byte) (n int, from netip.AddrPort) {
	d := q.sizes[q.first]
	n = copy(p, q.data[q.head:q.head+d.size])
	q.head += d.size
	if q.first++; q.size() == 0 {
		q.clear()
	}
	return n, d.from
}

// clear loses all that waits.
func (q *memDatagrams) clear() {
	q.data, q.head = q.data[:0], 0
	q.sizes, q.first = q.sizes[:0], 0
}

// moveUp returns s and its head when there is to be room for n more. It moves what is behind the head to the front only
// when that is no more than what lies before it, so that over time each element is moved once.
func moveUp[T any](s []T, head, n int) (moved []T, front int) {
	if len(s)+n <= cap(s) || head < len(s)-head {
		return s, head
	}
	return s[:copy(s, s[head:])], 0
}
