package sweep

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/chaosgate/chaos"
)

// A Point is a place in an exchange: between two bytes of a message, before its first, or behind its last.
type Point struct {
	Conn      int             `json:"conn"`      // the connection, counted from 1 in the order in which they have said something
	Direction chaos.Direction `json:"direction"` // which way the message goes
	Message   int             `json:"message"`   // the message, counted from 1 in that direction
	Offset    int64           `json:"offset"`    // how many of its bytes are before the point
}

// String returns the point as it is written on a command line, such as "1/to_client/3+5".
func (p Point) String() string {
	return fmt.Sprintf("%d/%v/%d+%d", p.Conn, p.Direction, p.Message, p.Offset)
}

// ParsePoint reads what String writes.
func ParsePoint(text string) (p Point, err error) {
	wrong := fmt.Errorf("point: got %q, want CONN/DIRECTION/MESSAGE+OFFSET, such as 1/to_client/3+5", text)
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return Point{}, wrong
	}
	message, offset, ok := strings.Cut(parts[2], "+")
	if !ok || p.Direction.UnmarshalText([]byte(parts[1])) != nil {
		return Point{}, wrong
	}
	if p.Conn, err = strconv.Atoi(parts[0]); err != nil || p.Conn < 1 {
		return Point{}, wrong
	}
	if p.Message, err = strconv.Atoi(message); err != nil || p.Message < 1 {
		return Point{}, wrong
	}
	if p.Offset, err = strconv.ParseInt(offset, 10, 64); err != nil || p.Offset < 0 {
		return Point{}, wrong
	}
	return p, nil
}

// MarshalText returns what String does.
func (p Point) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what String writes.
func (p *Point) UnmarshalText(text []byte) error {
	read, err := ParsePoint(string(text))
	if err == nil {
		*p = read
	}
	return err
}
