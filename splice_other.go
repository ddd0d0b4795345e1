//go:build unix && !linux

package chaos

// A splicer does nothing where bytes cannot be moved inside the kernel: they go through a buffer.
type splicer struct{}

// move moves what has arrived through a buffer.
func (r *raw) move(p *pump) (n int, err error) {
	ch, n, err := r.read(chunkSize)
	if n > 0 && err == nil {
		err = p.relay(ch.buf[:n])
	}
	if ch != nil {
		chunks.Put(ch)
	}
	return n, err
}

func (*pump) piped() bool { return false }

func (*pump) flushPipe() {}

func (*pump) unpipe() {}

func (*raw) close() {}

func closePipes() {}
