package main

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"time"
)

// A span is what one who reads has seen of a stream.
type span struct {
	First, Last time.Time // when the first and the last bytes were read
	Opening     int64     // bytes in the first read
	Bytes       int64     // all of them
}

// receive reads until the stream ends, one way or another.
func receive(c net.Conn) (s span) {
	buf := make([]byte, block)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			s.Last = time.Now()
			if s.Bytes == 0 {
				s.First, s.Opening = s.Last, int64(n)
			}
			s.Bytes += int64(n)
		}
		if err != nil {
			return s
		}
	}
}

// rate returns the MB that streams have carried in a second, from the first byte of any to the last byte of any.
func rate(spans []span) float64 {
	var bytes int64
	var first, last time.Time
	for i, s := range spans {
		if i == 0 || s.First.Before(first) {
			first = s.First
		}
		if s.Last.After(last) {
			last = s.Last
		}
		bytes += s.Bytes
	}
	if seconds := last.Sub(first).Seconds(); seconds > 0 {
		return float64(bytes) / 1e6 / seconds
	}
	return 0
}

// total returns the bytes of all spans.
func total(spans []span) (bytes int64) {
	for _, s := range spans {
		bytes += s.Bytes
	}
	return bytes
}

// answer waits until so many connections have ended and returns their spans, as JSON.
func (l *ledger) answer(question string) string {
	want, err := strconv.Atoi(question)
	if err != nil {
		return "error: want a number of connections"
	}
	for late := time.After(loadPatience); ; {
		l.mu.Lock()
		ended := l.ended
		if len(ended) >= want {
			l.ended = nil
			l.mu.Unlock()
			text, err := json.Marshal(ended)
			if err != nil {
				return "error: " + err.Error()
			}
			return string(text)
		}
		l.mu.Unlock()
		select {
		case <-l.more:
		case <-late:
			return fmt.Sprintf("error: %d connections have ended after %v, want %d", len(ended), loadPatience, want)
		}
	}
}
