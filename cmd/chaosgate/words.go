package main

import (
	"fmt"
	"time"
)

// short returns a duration with two digits or so, as a person would say it.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f ms", max(d.Seconds()*1e3, 0.1))
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}
