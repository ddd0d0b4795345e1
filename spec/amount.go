package spec

import (
	"fmt"
	"time"
)

// A Duration is a duration that is written with its unit, such as "1h30m".
type Duration time.Duration

// Duration returns the duration as Go has it.
func (d Duration) Duration() time.Duration { return time.Duration(d) }

// String returns the duration as Go writes it, without the zero minutes and seconds at its end.
func (d Duration) String() string { return durationText(time.Duration(d)) }

// MarshalText returns what String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a duration with its unit, which is not below zero.
func (d *Duration) UnmarshalText(text []byte) error {
	value, allowed := readDuration(string(text))
	if allowed == "" && value < 0 {
		allowed = "a duration that is not below 0"
	}
	if allowed != "" {
		return fmt.Errorf("got %s, want %s", shown(string(text)), allowed)
	}
	*d = Duration(value)
	return nil
}

// A Size is a number of bytes that is written with its unit, such as "64KiB".
type Size int64

// String returns the size with the largest unit of which it is a whole number.
func (s Size) String() string { return sizeText(int64(s)) }

// MarshalText returns what String does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a size with its unit, which is not below zero.
func (s *Size) UnmarshalText(text []byte) error {
	value, allowed := readSize(string(text))
	if allowed == "" && value < 0 {
		allowed = "a size that is not below 0"
	}
	if allowed != "" {
		return fmt.Errorf("got %s, want %s", shown(string(text)), allowed)
	}
	*s = Size(value)
	return nil
}
