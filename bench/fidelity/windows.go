package main

import (
	"math"
	"time"
)

// An arrival is bytes that a receiver has got at a moment.
type arrival struct {
	at    time.Duration
	bytes int
}

// windows cuts the time behind the first arrival into windows of a length and returns how far each is from a rate of bytes a second,
// as a share of it. The last window, which is not whole, is left out.
func windows(as []arrival, length time.Duration, rate float64) (errors []float64) {
	if len(as) == 0 {
		return nil
	}
	// Bytes that arrive at once belong to the time before: a window holds those that come after its beginning, to its end.
	begin, bytes := as[0].at, 0
	for _, a := range as[1:] {
		for a.at > begin+length {
			errors = append(errors, float64(bytes)/(rate*length.Seconds())-1)
			begin, bytes = begin+length, 0
		}
		bytes += a.bytes
	}
	return errors
}

// worst returns the largest of the values without their signs.
func worst(values []float64) (w float64) {
	for _, v := range values {
		w = max(w, math.Abs(v))
	}
	return w
}

// excess returns the most by which the bytes of any window, of whatever length, exceed what the rate allows in that time.
func excess(as []arrival, rate float64) (most float64) {
	sum, low := 0., math.Inf(1) // low is the least of the sum less its due, just before any arrival
	for _, a := range as {
		due := rate * a.at.Seconds()
		low = min(low, sum-due)
		sum += float64(a.bytes)
		most = max(most, sum-due-low)
	}
	return most
}

// ahead returns the most by which the bytes of the time since start exceed what the rate allows. A receiver that comes late
// makes it smaller, never larger. It is negative if every byte came behind its time.
func ahead(as []arrival, start time.Duration, rate float64) float64 {
	sum, most := 0., math.Inf(-1)
	for _, a := range as {
		sum += float64(a.bytes)
		most = max(most, sum-rate*(a.at-start).Seconds())
	}
	return most
}
