package chaostest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/chaosgate/chaos"
)

// An outcome is what came of a stream, or of a client's datagrams.
type outcome struct {
	start    time.Time
	pieces   []piece
	packets  bool   // the pieces are datagrams
	end      string // how it ended; empty if it did not
	endAt    time.Duration
	lifted   time.Duration // when the fault was lifted, before the stream ended
	hits     int64
	cutShort bool // neither peer has ended the connection, but the fault or the gate
}

// A piece is what arrived at one moment, or a datagram.
type piece struct {
	at   time.Duration // since the connection was opened
	data []byte
}

func (o *outcome) add(at time.Duration, data []byte) {
	if o.packets {
		o.pieces = append(o.pieces, piece{at, bytes.Clone(data)})
		return
	}
	if len(data) == 0 {
		return
	}
	if n := len(o.pieces); n > 0 && o.pieces[n-1].at == at {
		o.pieces[n-1].data = append(o.pieces[n-1].data, data...)
		return
	}
	o.pieces = append(o.pieces, piece{at, bytes.Clone(data)})
}

// bytes returns all that arrived.
func (o *outcome) bytes() (all []byte) {
	for _, p := range o.pieces {
		all = append(all, p.data...)
	}
	return all
}

// unharmed reports whether all that was sent has arrived, or the beginning of it until the connection was cut short.
func (o *outcome) unharmed(sent []byte) bool {
	if o.packets {
		return o.delivered(datagramsOf(sent))
	}
	got := o.bytes()
	return bytes.Equal(got, sent) && o.end == "EOF" || o.cutShort && bytes.HasPrefix(sent, got)
}

func (o *outcome) ending() string {
	if o.end == "" {
		return "the stream did not end"
	}
	return o.end
}

// differs tells how an outcome differs from another in its bytes and its end, and in when they came if times is set.
func (o *outcome) differs(want outcome, times bool) string {
	if o.packets {
		return o.differently(want, times)
	}
	if got, want := o.bytes(), want.bytes(); !bytes.Equal(got, want) {
		return firstDifference(got, want)
	}
	if o.end != want.end {
		return fmt.Sprintf("in the end: got %s, want %s", o.ending(), want.ending())
	}
	if !times {
		return ""
	}
	for i := range max(len(o.pieces), len(want.pieces)) {
		var a, b piece
		if i < len(o.pieces) {
			a = o.pieces[i]
		}
		if i < len(want.pieces) {
			b = want.pieces[i]
		}
		if a.at != b.at || len(a.data) != len(b.data) {
			return fmt.Sprintf("piece %d: got %d bytes after %v, want %d after %v", i, len(a.data), a.at, len(b.data), b.at)
		}
	}
	if o.endAt != want.endAt {
		return fmt.Sprintf("the end: got it after %v, want after %v", o.endAt, want.endAt)
	}
	return ""
}

// firstDifference tells where two runs of bytes part.
func firstDifference(got, want []byte) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	return fmt.Sprintf("at byte %d: got %.16q of %d bytes, want %.16q of %d", i, got[i:], len(got), want[i:], len(want))
}

// wordSize is how long a run of bytes is that is known again wherever it arrives: nothing else is it by accident.
const wordSize = 8

// disorder tells which bytes have overtaken others, or have arrived twice.
func disorder(sent, got []byte) string {
	words := make(map[string]int)
	for at := 0; at+wordSize <= len(sent); at += wordSize {
		word := string(sent[at : at+wordSize])
		if _, twice := words[word]; twice {
			words[word] = -1
			continue
		}
		words[word] = at
	}
	last := -1
	for i := 0; i+wordSize <= len(got); i++ {
		at, known := words[string(got[i:i+wordSize])]
		switch {
		case !known || at < 0:
			continue
		case at == last:
			return fmt.Sprintf("bytes %d to %d have arrived twice", at, at+wordSize)
		case at < last:
			return fmt.Sprintf("bytes %d to %d have arrived behind byte %d", at, at+wordSize, last)
		}
		last = at
		i += wordSize - 1
	}
	return ""
}

// subsequence reports whether got is what is left of sent when some of it is lost.
func subsequence(got, sent []byte) bool {
	for _, b := range sent {
		if len(got) > 0 && got[0] == b {
			got = got[1:]
		}
	}
	return len(got) == 0
}

// probeBefore stands before the fault, hands it the stream, and looks at the clock. If it scribbles, the fault gets copies that are
// spoilt when it has returned.
func (r *rig) probeBefore(scribbles bool) chaos.FaultFunc {
	return func(_ *chaos.Stage, next chaos.Sink) chaos.Sink {
		return func(s chaos.Segment) {
			if scribbles {
				s.Data = bytes.Clone(s.Data)
			}
			start := time.Now()
			next(s)
			if took := time.Since(start); took > 0 {
				r.fails(RuleStamps, "it was handed %d bytes and returned %v later", len(s.Data), took)
			}
			if scribbles {
				spoil(s.Data)
			}
		}
	}
}

// probeBehind stands behind the fault and looks at what it passes. If it scribbles, it spoils what it was given, as any Sink may.
func (r *rig) probeBehind(scribbles bool) chaos.FaultFunc {
	return func(_ *chaos.Stage, next chaos.Sink) chaos.Sink {
		end := chaos.More
		return func(s chaos.Segment) {
			if end != chaos.More && !r.gone.Load() && s.End < chaos.RST && (len(s.Data) > 0 || s.End != chaos.More) {
				r.fails(RuleEnd, "it passed %d bytes (and then: %v) behind the end of the stream (%v)", len(s.Data), s.End, end)
			}
			end = max(end, s.End)
			if scribbles {
				given := s.Data
				s.Data = bytes.Clone(given)
				defer spoil(given)
			}
			next(s)
		}
	}
}

func spoil(data []byte) {
	for i := range data {
		data[i] = 0xa5
	}
}
