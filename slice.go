package chaos

import (
	"fmt"
	"time"
)

// Slice cuts the stream into writes of at most Size bytes, each at least Gap after the one before. With Vary each piece has between
// Size-Vary and Size bytes, drawn at its position.
//
// Where a piece ends depends on the bytes that have passed, not on how they were read; but nothing waits to fill
// a piece, so the end of what was read at once is the end of a write, too. The end of the stream comes behind the data.
// A Gap of 0 promises the writes, not the peer's reads: its kernel may join what is unread. With a Gap the gate reads
// hardly faster than it writes.
type Slice struct {
	Size int           `json:"size" unit:"B" need:"true" help:"how many bytes a piece has at most"`
	Vary int           `json:"vary" unit:"B" help:"how many bytes a piece may be shorter, by chance"`
	Gap  time.Duration `json:"gap" help:"how long each piece leaves after the one before, at least"`
}

func init() {
	Register("slice", "Data arrives in small pieces.", Slice{})
}

// Check implements [Checker].
func (c Slice) Check(network string) error {
	if c.Vary > 0 && c.Vary >= c.Size {
		return &FaultError{Param: "vary", Given: fmt.Sprintf("%dB", c.Vary), Allowed: fmt.Sprintf("a size below %dB, the piece's", c.Size)}
	}
	return StreamsOnly(network, "a datagram is never cut")
}

// Impose implements [Fault].
func (c Slice) Impose(st *Stage, next Sink) Sink {
	pieces := st.State(func() any { return new(slicing) }).(*slicing)
	pieces.left = min(pieces.left, c.Size)
	atOnce := time.Duration(1024) // so that a change or a reset is not behind more writes than that
	if c.Gap > 0 {
		atOnce = min(atOnce, 1+maxBacklog/c.Gap)
	}
	st.most = min(chunkSize, c.Size) * int(atOnce)
	return func(s Segment) {
		due, offset, size, cuts := s.Due, st.Offset(), len(s.Data), 0
		for len(s.Data) > 0 {
			if pieces.left == 0 {
				pieces.left = c.Size - int(st.Draw(offset+int64(size-len(s.Data)))%uint64(c.Vary+1))
			}
			piece := s
			if len(s.Data) > pieces.left {
				piece.Data, piece.End = s.Data[:pieces.left], More
				cuts++
			}
			pieces.left -= len(piece.Data)
			s.Data = s.Data[len(piece.Data):]
			if c.Gap > 0 && !pieces.last.IsZero() {
				s.Due = later(s.Due, pieces.last.Add(c.Gap))
			}
			piece.Due, pieces.last = s.Due, s.Due
			next(piece)
		}
		if size == 0 {
			next(s)
		}
		if cuts == 0 && s.Due.After(due) {
			cuts = 1 // it was late, at least
		}
		st.hits(cuts, st.Offset(), size)
		pieces.path = append(pieces.path[:0], st.line.path...)
		st.holdBacklog(s.Due.Sub(due))
	}
}
