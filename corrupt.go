package chaos

// Corrupt changes bytes: each with the chance Rate, and for certain when it is hit. Nothing is lost or added. A Rate of 0 or 1 hits every byte.
//
// Which bytes are hit, and how, depends on the seed and their positions in the stream alone (of datagrams, on the number of each and
// the positions in it): not on how they were read, nor on when the fault was imposed.
type Corrupt struct {
	Rate float64 `json:"rate" unit:"chance" default:"every byte" help:"the chance of each byte to be hit"`
	Flip Flip    `json:"flip" one:"bytes bits" default:"bytes" help:"what is changed of a byte that is hit: any of its bits, or just one"`
}

// A Flip tells how [Corrupt] changes a byte.
type Flip string

// How a byte can change.
const (
	FlipBytes Flip = "bytes" // into any other
	FlipBits  Flip = "bits"  // in one bit
)

func init() {
	Register("corrupt", "Bytes arrive changed.", Corrupt{})
}

// Impose implements [Fault].
func (c Corrupt) Impose(st *Stage, next Sink) Sink {
	h := newHitter(c.Rate)
	done := int64(-1) // the position up to which h has come
	return func(s Segment) {
		from := st.Offset()
		if st.Datagrams() {
			from <<= 16 // a datagram is one position, and has room for all of its bytes
		}
		if from != done {
			h.at, h.hits = from&^(corruptBlock-1), false
		}
		done = from + int64(len(s.Data))
		n, first := 0, from
		for h.at < done {
			if !h.hits {
				h.seek(h.at, st.Draw(^h.at)) // no byte's position
				continue
			}
			draw := st.Draw(h.at)
			if h.at >= from {
				s.Data[h.at-from] ^= c.mask(draw)
				if n++; n == 1 {
					first = h.at
				}
			}
			h.seek(h.at+1, draw)
		}
		if st.Datagrams() {
			first = st.Offset()
		}
		st.hits(n, first, n)
		next(s)
	}
}

// mask returns what to change in a byte; it takes the bits of a draw that seek leaves.
func (c Corrupt) mask(draw uint64) byte {
	if c.Flip == FlipBits {
		return 1 << (draw & 7)
	}
	return byte(1 + draw&(1<<11-1)%255)
}
