//go:build linux

package wiretest

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// baseSize is the period of the random block under the stamps.
const baseSize = 1 << 20

// stampEvery is the distance between two stamps of the offset.
const stampEvery = 64

// base is the random block that every pattern is cut from.
var base = sync.OnceValue(func() []byte {
	b := make([]byte, baseSize)
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], mix(uint64(i)+1))
	}
	return b
})

// mix spreads the bits of x (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fillPattern writes what an endless pattern has at offset: random bytes, stamped every 64 with their own position, so that a
// byte that is lost, doubled, moved or changed shows wherever it is. Different seeds give different patterns.
func fillPattern(buf []byte, seed uint64, offset int64) {
	shift := int64(bits.RotateLeft64(mix(seed), 17) % baseSize)
	for done := 0; done < len(buf); {
		at := (offset + shift + int64(done)) % baseSize
		done += copy(buf[done:], base()[at:])
	}
	end := offset + int64(len(buf))
	var stamp [8]byte
	for at := offset - offset%stampEvery; at < end; at += stampEvery {
		v := mix(seed ^ uint64(at))
		if i := at - offset; i >= 0 && at+8 <= end {
			binary.LittleEndian.PutUint64(buf[i:], v)
			continue
		}
		binary.LittleEndian.PutUint64(stamp[:], v)
		for j, b := range stamp {
			if i := at + int64(j) - offset; i >= 0 && i < int64(len(buf)) {
				buf[i] = b
			}
		}
	}
}

// A source is everything that one actor sends in a script, in order: the pattern, with literal pieces laid over it.
type source struct {
	seed   uint64
	pieces []piece
	size   int64
}

// A piece is a literal in a source.
type piece struct {
	offset int64
	text   string
}

// literal appends a literal piece and returns its offset.
func (s *source) literal(text string) int64 {
	at := s.size
	s.pieces = append(s.pieces, piece{at, text})
	s.size += int64(len(text))
	return at
}

// pattern appends n bytes of pattern and returns their offset.
func (s *source) pattern(n int64) int64 {
	at := s.size
	s.size += n
	return at
}

// fill writes what the source has at offset.
func (s *source) fill(buf []byte, offset int64) {
	fillPattern(buf, s.seed, offset)
	end := offset + int64(len(buf))
	for _, p := range s.pieces {
		from, to := max(p.offset, offset), min(p.offset+int64(len(p.text)), end)
		if from < to {
			copy(buf[from-offset:to-offset], p.text[from-p.offset:])
		}
	}
}
