//go:build linux

package wiretest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// streamChecks are the rows on the integrity of the stream that are more than one script.
func streamChecks() []Check {
	return []Check{
		{Row: 1, Name: "byte_identity", Unix: true, Run: byteIdentity},
		{Row: 2, Name: "any_segmentation", Unix: true, Run: anySegmentation},
		{Row: 3, Name: "full_duplex", Unix: true, Run: fullDuplex},
		{Row: 7, Name: "urgent_byte_amid_bulk", Run: urgentAmidBulk(func(text string) string { return text })},
		{Row: 7, Name: "urgent_byte_amid_bulk_mirrored", Run: urgentAmidBulk(Mirror)},
		{Row: 9, Name: "FIN_right_behind_a_word", Unix: true, Run: finRightBehind},
	}
}

// byteIdentity is row 1: every size both ways, then both ends of stream.
func byteIdentity(e *Env) error {
	sizes := []int{0, 1, 2, 4095, 4096, 4097, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20, 24 << 20}
	if e.Soak {
		sizes = append(sizes, 1<<30)
	}
	for _, n := range sizes {
		err := Compare(e, fmt.Sprintf(`
			open
			client send %[1]d &
			server read %[1]d
			server send %[1]d &
			client read %[1]d
			client shut
			server read all
			server shut
			client read all`, n))
		if err != nil {
			return fmt.Errorf("%d bytes: %w", n, err)
		}
	}
	return nil
}

// Segmentation is the script of row 2: both sides send size bytes at once, the client in writes of the sizes there, the server in
// writes of the sizes back, and each reads in the sizes that it writes in.
func Segmentation(size int, there, back []int) string {
	list := func(sizes []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(sizes), " ", ","), "[]") }
	return fmt.Sprintf(`
		open
		server read %[1]d by %[3]s &
		client read %[1]d by %[2]s &
		server send %[1]d by %[3]s &
		client send %[1]d by %[2]s
		client wait
		server wait
		client shut
		server read all
		server shut
		client read all`, size, list(there), list(back))
}

// anySegmentation is row 2 for sizes drawn at random. Small and large ones are equally likely.
func anySegmentation(e *Env) error {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	draw := func() []int {
		sizes := make([]int, 1+r.IntN(6))
		for i := range sizes {
			sizes[i] = 1 + r.IntN(1<<(1+r.IntN(17)))
		}
		return sizes
	}
	for range e.Pick(8, 500) {
		there, back := draw(), draw()
		text := Segmentation(min(1<<20, 2000*slices.Min(slices.Concat(there, back))), there, back)
		if err := Compare(e, text); err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return nil
}

// fullDuplex is row 3: both sides send before either reads, and then one reads after the other.
func fullDuplex(e *Env) error {
	return Compare(e, fmt.Sprintf(`
		open
		client send %[1]d &
		server send %[1]d &
		pause 100ms
		client read %[1]d
		server read %[1]d
		client wait
		server wait
		client shut
		server shut
		client read all
		server read all`, e.Pick(32<<20, 256<<20)))
}

// urgentAmidBulk is row 7 for bytes that the kernel might move by itself. Splice stops before an urgent byte: with nothing at all
// if the FIN has arrived as well, which looks like the end of the stream. That takes several attempts to meet.
func urgentAmidBulk(turn func(string) string) func(e *Env) error {
	return func(e *Env) error {
		for i := range e.Pick(15, 500) {
			err := Compare(e, turn(`
				open
				server inline
				server read all &
				client send 1MiB
				client oob !
				client send 1MiB
				client shut
				server wait`))
			if err != nil {
				return fmt.Errorf("attempt %d: %w", i, err)
			}
		}
		return nil
	}
}

// finRightBehind is row 9 for a FIN that leaves in the same moment as the last bytes.
func finRightBehind(e *Env) error {
	r, err := newRig(e, e.Via)
	if err != nil {
		return err
	}
	defer r.close()
	for i := range e.Pick(200, 10000) {
		if err := r.wordThenFIN(i); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	return nil
}

// wordThenFIN sends a few bytes with a FIN or a full close right behind them.
func (r *rig) wordThenFIN(i int) error {
	client, server, err := r.pair()
	if err != nil {
		return err
	}
	defer client.Close()
	defer server.Close()
	sent := make([]byte, 1+i%2000)
	fillPattern(sent, 1, int64(i))
	if _, err := client.Write(sent); err != nil {
		return err
	}
	if i%2 == 0 {
		err = client.CloseWrite()
	} else {
		err = client.Close()
	}
	if err != nil {
		return err
	}
	got, err := readAll(server)
	if err != nil {
		return err
	}
	if string(got) != string(sent) {
		return fmt.Errorf("%d bytes were sent before the FIN, %d arrived, the first difference at %d", len(sent), len(got), differAt(got, sent))
	}
	return nil
}
