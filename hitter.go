package chaos

import "math"

// corruptBlock is how many bytes lie between two positions at which the gaps between hits are counted anew: so many bytes have to be
// looked at, at most, to know what happens at a position. It changes no chance, since a gap has no memory.
const corruptBlock = 4 << 10

// A hitter finds the positions that a [Corrupt] hits.
type hitter struct {
	logMiss float64 // the logarithm of the chance to be spared
	at      int64   // the next hit, or the beginning of the next block if there is none before
	hits    bool
}

// newHitter returns a hitter for a chance, of which 0 means certainty.
func newHitter(rate float64) hitter {
	if rate == 0 {
		rate = 1
	}
	return hitter{logMiss: math.Log1p(-rate)}
}

// seek finds what comes next from a position on, in the block where h stands.
func (h *hitter) seek(from int64, draw uint64) {
	end := h.at&^(corruptBlock-1) + corruptBlock
	gap := 0.
	if !math.IsInf(h.logMiss, 0) {
		gap = math.Floor(math.Log(unit(draw)) / h.logMiss)
	}
	if h.hits = gap < float64(end-from); h.hits {
		h.at = from + int64(gap)
	} else {
		h.at = end
	}
}
