package main

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"
)

// block is how much the peers of a stream write and read at once.
const block = 256 << 10

// payload is what streams carry, again and again: words, as a fault that looks for a pattern will meet them.
var payload = sync.OnceValue(func() []byte {
	words := strings.Fields(`a an and at be but by for from have in is it not of on or that the this to was which with you
		server client order invoice 2024 1789 customer payment select insert where value {"id": "name": null, true], 0.25`)
	draw := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 0, block+20)
	for len(text) < block {
		text = append(text, words[draw.IntN(len(words))]...)
		if draw.IntN(12) == 0 {
			text = append(text, '\n')
		} else {
			text = append(text, ' ')
		}
	}
	return text[:block]
})

// send sends the payload for so long, or until the connection ends.
func send(c net.Conn, length time.Duration) error {
	text := payload()
	for start := time.Now(); time.Since(start) < length; {
		if _, err := c.Write(text); err != nil {
			return err
		}
	}
	return nil
}
