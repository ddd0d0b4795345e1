//go:build unix && !linux

package chaos

// A splicer does nothing where bytes cannot be moved inside the kernel: they go through a buffer.
type splicer struct{}

func (*splicer) init(*raw) {}

// move moves what has arrived.
func (r *raw) move(p *pump) (n int, err error) { return r.copyOnce(p) }

func (*pump) piped() bool { return false }

func (*pump) flushPipe() {}

func (*pump) unpipe() {}

func (*raw) close() {}

func closePipes() {}
