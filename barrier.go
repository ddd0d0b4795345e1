package chaos

// A barrier waits until every follower obeys a program.
type barrier struct {
	n     uint64        // the program's number
	left  int           // followers that do not obey it yet
	done  chan struct{} // closed when left is 0
	older *barrier
}

// wait waits until every follower obeys; there is nothing to wait for if b is nil.
func (b *barrier) wait() {
	if b != nil {
		<-b.done
	}
}

// pass counts a follower that obeyed program a and now obeys b.
func (f *Flow) pass(a, b uint64) {
	for at := &f.barrier; *at != nil; {
		w := *at
		if a < w.n && w.n <= b {
			w.left--
		}
		if w.left > 0 {
			at = &w.older
			continue
		}
		close(w.done)
		*at = w.older
	}
}
