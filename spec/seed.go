package spec

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A Seed is the seed of a gate. In JSON it is a number, or a string such as "0xfeedfacecafebeef": many readers of JSON
// round large numbers, so seeds over 2⁵³ are written as strings.
type Seed uint64

// String returns the seed in hexadecimal, such as "0x2a".
func (s Seed) String() string { return "0x" + strconv.FormatUint(uint64(s), 16) }

// MarshalJSON returns a number, or a string if the number is large.
func (s Seed) MarshalJSON() ([]byte, error) {
	const exact = 1 << 53 // what a double holds exactly
	if s > exact {
		return json.Marshal(s.String())
	}
	return json.Marshal(uint64(s))
}

// UnmarshalJSON reads a number or a string, to the last of the 64 bits.
func (s *Seed) UnmarshalJSON(data []byte) error {
	text := string(data)
	if len(data) > 0 && data[0] == '"' {
		text = unquote(data)
	}
	return s.UnmarshalText([]byte(text))
}

// UnmarshalText reads a decimal number, or a hexadecimal one with 0x before it.
func (s *Seed) UnmarshalText(text []byte) error {
	digits, isHex := strings.CutPrefix(string(text), "0x")
	base := 10
	if isHex {
		base = 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return fmt.Errorf("got %s, want a whole number of 64 bits, such as 42 or 0x2a", shown(string(text)))
	}
	*s = Seed(n)
	return nil
}
