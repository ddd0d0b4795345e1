package chaos

import (
	"errors"
	"sync/atomic"
)

// gatesOpen counts the gates that use what the process has once for all of them: the watcher of resets, the pacer and
// the pipes at hand. It is there from the first gate's Start to the last one's Close.
var gatesOpen atomic.Int64

func shareProcess() error {
	gatesOpen.Add(1)
	return errors.Join(watcherStart(), pacerStart())
}

func unshareProcess() {
	watcherStop()
	pacerStop()
	if gatesOpen.Add(-1) == 0 {
		closePipes()
	}
}
