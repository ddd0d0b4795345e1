package matrix

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/chaosgate/chaos/spec"
)

// A Direction tells which traffic a condition is imposed on.
type Direction string

// The directions. What concerns connections as a whole, such as a door, has Both.
const (
	ToServer Direction = "to_server"
	ToClient Direction = "to_client"
	Both     Direction = "both"
)

// Directions are all directions, in their order.
var Directions = []Direction{ToServer, ToClient, Both}

// A Moment tells when a condition is imposed.
type Moment string

// The moments.
const (
	Connecting Moment = "connecting" // before the connection is there
	Idle       Moment = "idle"       // on connections that have been used and are idle
	Underway   Moment = "underway"   // while a request, or its answer, is under way
)

// Moments are all moments, in their order.
var Moments = []Moment{Connecting, Idle, Underway}

// cellID returns the name of a cell.
func cellID(condition string, d Direction, m Moment) string {
	return fmt.Sprintf("%s/%s/%s", condition, d, m)
}

// SplitID returns what the name of a cell is made of, or an error that says what is wrong with it.
func SplitID(id string) (condition string, d Direction, m Moment, err error) {
	parts := strings.Split(id, "/")
	if len(parts) != 3 {
		return "", "", "", fmt.Errorf("cell: got %q, want CONDITION/DIRECTION/MOMENT, such as stall/to_client/idle", id)
	}
	d, m = Direction(parts[1]), Moment(parts[2])
	if !slices.Contains(Directions, d) {
		return "", "", "", fmt.Errorf("cell %s: got direction %q, want to_server, to_client or both", id, parts[1])
	}
	if !slices.Contains(Moments, m) {
		return "", "", "", fmt.Errorf("cell %s: got moment %q, want connecting, idle or underway", id, parts[2])
	}
	return parts[0], d, m, nil
}

// cellSeed returns the seed of a cell: it follows from the run's and the cell's name alone, and is short enough to be read.
func cellSeed(run spec.Seed, id string) spec.Seed {
	h := fnv.New64a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(run))
	h.Write(b[:])
	h.Write([]byte(id))
	sum := h.Sum64()
	return spec.Seed(uint32(sum>>32)^uint32(sum)) | 1
}
