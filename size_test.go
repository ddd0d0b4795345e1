package chaos

import (
	"testing"
	"unsafe"
)

// TestSizes holds what an idle connection takes: of it there are one Conn and two pumps, and little else that lasts. Go's next
// larger sizes behind 512 bytes are 576 and 640, with eight bytes of each for a header.
func TestSizes(t *testing.T) {
	const most = 512
	if got := unsafe.Sizeof(Conn{}); got > most {
		t.Errorf("a Conn takes %d bytes, want %d at most", got, most)
	}
	if got := unsafe.Sizeof(pump{}); got > most {
		t.Errorf("a pump takes %d bytes, want %d at most", got, most)
	}
}
