package hub

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// A keeper writes the state file. Whoever has changed something waits until a state that was looked at afterwards is in the file; those
// who wait at once wait for the same writing.
type keeper struct {
	file  string
	state func() state
	done  chan struct{} // closed when nothing is written any more

	mu      sync.Mutex // guards what follows; held shortly
	changed sync.Cond  // of mu: told when one of these is
	asked   uint64     // how often the state was to be written
	written uint64     // how often it has been
	err     error      // what came of it last
	ended   bool
}

func newKeeper(file string, state func() state) *keeper {
	k := &keeper{file: file, state: state, done: make(chan struct{})}
	k.changed.L = &k.mu
	if left, err := filepath.Glob(k.pattern()); err == nil {
		for _, name := range left { // of a daemon that was killed while it wrote
			os.Remove(name)
		}
	}
	go k.run()
	return k
}

// pattern returns the names of what is to become the state file, with a star.
func (k *keeper) pattern() string { return k.file + ".*.tmp" }

// run writes the state whenever it is asked for.
func (k *keeper) run() {
	defer close(k.done)
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		for k.asked == k.written && !k.ended {
			k.changed.Wait()
		}
		if k.asked == k.written {
			return
		}
		now := k.asked
		k.mu.Unlock()
		err := k.write()
		k.mu.Lock()
		k.written, k.err = now, err
		k.changed.Broadcast()
	}
}

// write writes the state to another file, which then takes the place of the state file: at each moment that is one or the other, whole.
func (k *keeper) write() error {
	data, err := k.state().encode()
	if err != nil {
		return err
	}
	dir := filepath.Dir(k.file)
	tmp, err := os.CreateTemp(dir, filepath.Base(k.pattern()))
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), k.file)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return err
	}
	return syncFolder(dir)
}

// ask asks for the state to be written and returns what to wait for.
func (k *keeper) ask() (n uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked++
	k.changed.Broadcast()
	return k.asked
}

// await waits until the state was written that was asked for.
func (k *keeper) await(n uint64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.written < n && !k.ended {
		k.changed.Wait()
	}
	return k.err
}

// stop ends the writing, once what was asked for is written.
func (k *keeper) stop() {
	if k == nil {
		return
	}
	k.mu.Lock()
	k.ended = true
	k.changed.Broadcast()
	k.mu.Unlock()
	<-k.done
}

// save waits until what there is now is in the state file, if there is one.
func (h *Hub) save() error {
	if h.keeper == nil {
		return nil
	}
	if err := h.keeper.await(h.keeper.ask()); err != nil {
		return &Error{Failed, "state", fmt.Errorf("it was done, but the state file could not be written: %w", err)}
	}
	return nil
}

// saveSoon has what there is now be written, and does not wait for that.
func (h *Hub) saveSoon() {
	if h.keeper != nil {
		h.keeper.ask()
	}
}
