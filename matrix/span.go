package matrix

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// A Span is a length of time. In JSON it is a number of milliseconds, exact to the microsecond.
type Span time.Duration

// String returns the span as a person would say it, with two or three digits: "0.3 ms", "1.5 s".
func (s Span) String() string {
	d := time.Duration(s)
	switch ms := d.Seconds() * 1e3; {
	case d == 0:
		return "0 ms"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", max(ms, 0.1))
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", ms)
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return fmt.Sprintf("%d min %02.0f s", int(d.Minutes()), math.Floor(math.Mod(d.Seconds(), 60)))
	}
}

// MarshalJSON returns the number of milliseconds.
func (s Span) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(time.Duration(s).Microseconds()) / 1e3)
}

// UnmarshalJSON reads a number of milliseconds.
func (s *Span) UnmarshalJSON(data []byte) error {
	var ms float64
	if err := json.Unmarshal(data, &ms); err != nil {
		return fmt.Errorf("got %s, want a number of milliseconds", data)
	}
	if longest := math.MaxInt64 / float64(time.Millisecond); math.Abs(ms) >= longest {
		return fmt.Errorf("got %s, want a number of milliseconds within 292 years", data)
	}
	*s = Span(math.Round(ms*1e3) * float64(time.Microsecond))
	return nil
}

// seconds returns the span as a number of seconds.
func (s Span) seconds() float64 { return time.Duration(s).Seconds() }
