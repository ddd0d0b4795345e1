package matrix_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chaosgate/chaos/matrix"
)

// A keeper is the server of the zoo: it stores keys, "add KEY" and a checksum on a line, and answers how often each was stored. An answer is
// its length and checksum on a line, and then itself.
type keeper struct {
	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex // guards what follows
	stored map[string]int
	conns  map[net.Conn]bool
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{listener: listener, stored: map[string]int{}, conns: map[net.Conn]bool{}}
	k.serving.Go(k.accept)
	t.Cleanup(func() {
		listener.Close()
		k.mu.Lock()
		for conn := range k.conns {
			conn.Close()
		}
		k.mu.Unlock()
		k.serving.Wait()
	})
	return k
}

func (k *keeper) accept() {
	for {
		conn, err := k.listener.Accept()
		if err != nil {
			return
		}
		k.mu.Lock()
		k.conns[conn] = true
		k.mu.Unlock()
		k.serving.Go(func() { k.serve(conn) })
	}
}

func (k *keeper) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		k.mu.Lock()
		delete(k.conns, conn)
		k.mu.Unlock()
	}()
	for in := bufio.NewScanner(conn); in.Scan(); {
		line, sum, _ := strings.Cut(in.Text(), "#")
		key, ok := strings.CutPrefix(line, "add ")
		if !ok || sum != checksum(line) {
			return
		}
		k.mu.Lock()
		k.stored[key]++
		n := k.stored[key]
		k.mu.Unlock()
		answer := fmt.Sprintf("%s is stored, and it is there %d times in all.", key, n)
		if _, err := fmt.Fprintf(conn, "%d %s\n%s", len(answer), checksum(answer), answer); err != nil {
			return
		}
	}
}

func checksum(s string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(s))) }

// A defect is what is wrong with an animal of the zoo. All else about it is right, so that an animal without a defect is the repaired twin of each.
type defect string

const (
	none            defect = ""
	noTimeout       defect = "no timeout at all"
	longTimeout     defect = "a timeout far longer than its caller's"
	deadPool        defect = "a pool that keeps dead connections"
	tightLoop       defect = "reconnects in a tight loop"
	retriedWrite    defect = "retries a write that may have been done"
	emptyEnd        defect = "treats end of stream as an empty answer"
	shortRead       defect = "ignores a short read"
	partialAnswer   defect = "believes a partial answer"
	keptAfterErrors defect = "never closes after an error"
	panics          defect = "does not look whether there is an answer"
)

// An animal is a client of the keeper: it keeps a connection, has a timeout for each call, tries to connect three times with growing pauses, and
// does not repeat what may have been done.
type animal struct {
	defect defect

	mu   sync.Mutex // held during a call
	conn atomic.Pointer[net.Conn]
}

// keys counts those of all animals.
var keys atomic.Int64

// animalTimeout is long, for a machine that is busy with something else.
const animalTimeout = 3 * time.Second

func (a *animal) timeout() time.Duration {
	switch a.defect {
	case noTimeout:
		return 0
	case longTimeout:
		return time.Minute
	}
	return animalTimeout
}

// open is a run's Open.
func (a *animal) open(_ context.Context, addr string) (matrix.Probe, func(), error) {
	each := &animal{defect: a.defect}
	return each.probe, each.drop, nil
}

func (a *animal) drop() {
	if conn := a.conn.Swap(nil); conn != nil {
		(*conn).Close()
	}
}

// probe stores a key of its own. The answer is what it was told, without the key.
func (a *animal) probe(_ context.Context, addr string) (matrix.Answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := fmt.Sprintf("key-%09d", keys.Add(1)) // always as long
	answer, err := a.add(addr, key)
	return matrix.Answer{Output: strings.ReplaceAll(answer, key, "KEY")}, err
}

func (a *animal) add(addr, key string) (answer string, err error) {
	var until time.Time
	if t := a.timeout(); t > 0 {
		until = time.Now().Add(t)
	}
	for try := 1; ; try++ {
		sent := false
		answer, sent, err = a.exchange(addr, "add "+key, until)
		if err == nil {
			return answer, nil
		}
		if a.defect != deadPool && a.defect != keptAfterErrors {
			a.drop()
		}
		switch {
		case !until.IsZero() && time.Now().After(until):
			return "", err
		case a.defect == tightLoop:
			time.Sleep(3 * time.Millisecond) // without any pause it would starve the tests beside it
			continue
		case a.defect == retriedWrite && sent && try == 1:
			continue
		case sent || try == 3:
			return "", err
		}
		time.Sleep(time.Duration(try) * 20 * time.Millisecond)
	}
}

// exchange sends a request and reads the answer, on the connection that there is or a new one.
func (a *animal) exchange(addr, request string, until time.Time) (answer string, sent bool, err error) {
	kept := a.conn.Load()
	if kept == nil {
		conn, err := (&net.Dialer{Deadline: until}).Dial("tcp", addr)
		if err != nil {
			return "", false, err
		}
		kept = &conn
		a.conn.Store(kept)
	}
	conn := *kept
	conn.SetDeadline(until)
	if _, err := fmt.Fprintf(conn, "%s#%s\n", request, checksum(request)); err != nil {
		return "", true, err
	}
	answer, err = a.read(conn)
	return answer, true, err
}

var errDamaged = errors.New("the answer is damaged")

// read reads an answer.
func (a *animal) read(conn net.Conn) (string, error) {
	if a.defect == shortRead {
		buffer := make([]byte, 4096)
		n, err := conn.Read(buffer)
		_, body, _ := strings.Cut(string(buffer[:n]), "\n")
		return body, err
	}
	head := make([]byte, 0, 16)
	for one := make([]byte, 1); ; {
		_, err := io.ReadFull(conn, one)
		switch {
		case err == io.EOF && a.defect == emptyEnd:
			return "", nil
		case err != nil && a.defect == panics && !isTimeout(err):
			return string(head)[:8], nil // the checksum, it thinks
		case err != nil:
			return "", err
		}
		if one[0] == '\n' {
			break
		}
		if head = append(head, one[0]); len(head) > 16 {
			return "", errDamaged
		}
	}
	length, sum, _ := strings.Cut(string(head), " ")
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > 4096 {
		return "", errDamaged
	}
	body := make([]byte, n)
	got, err := io.ReadFull(conn, body)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && a.defect == partialAnswer:
		return string(body[:got]), nil
	case err != nil:
		return "", err
	case checksum(string(body)) != sum:
		return "", errDamaged
	}
	return string(body), nil
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// zoo tells of each defect in which cells it shows, and how.
var zoo = []struct {
	defect  defect
	verdict matrix.Verdict
	cells   []string
}{
	{noTimeout, matrix.Hang, []string{"hold/both/connecting", "stall/to_client/idle", "vanish/both/underway"}},
	{longTimeout, matrix.Hang, []string{"blackhole/both/connecting", "stall/to_server/connecting", "discard/both/idle"}},
	{deadPool, matrix.NoRecovery, []string{"close/both/idle", "reset/both/idle", "cut/to_client/idle"}},
	{tightLoop, matrix.Storm, []string{"close/both/connecting", "close_on_data/to_client/idle", "close_on_data/to_server/underway"}},
	{retriedWrite, matrix.Wrong, []string{"close/both/underway", "reset/both/underway"}},
	{emptyEnd, matrix.Wrong, []string{"close/both/idle", "close_on_data/to_client/connecting"}},
	// A slice of single bytes shows this too, unless the machine is so busy that the client comes when all are there.
	{shortRead, matrix.Wrong, []string{"stall/to_client/underway", "delay_2s/both/underway"}},
	{partialAnswer, matrix.Wrong, []string{"close/both/underway"}},
	{keptAfterErrors, matrix.Wrong, []string{"stall/to_client/idle", "stall/both/idle"}},
	{panics, matrix.Crash, []string{"close/both/idle", "close_on_data/to_server/connecting"}},
}

// zooRun returns a matrix of an animal.
func zooRun(k *keeper, d defect) *matrix.Run {
	return &matrix.Run{
		Server: k.listener.Addr().String(), Seed: 42, Workers: 3, Open: (&animal{defect: d}).open,
		Deadline: 8 * time.Second, Patience: 10 * time.Second,
	}
}

// TestZoo finds what is wrong with each animal, and nothing about its repaired twin. All are tried at once: most of the time they wait.
func TestZoo(t *testing.T) {
	k := newKeeper(t)
	var trying sync.WaitGroup
	sick, healthy := make([][]matrix.Cell, len(zoo)), make([][]matrix.Cell, len(zoo))
	for i, z := range zoo {
		trying.Go(func() { sick[i] = zooCells(t, zooRun(k, z.defect), z.cells) })
		trying.Go(func() { healthy[i] = zooCells(t, zooRun(k, none), z.cells) })
	}
	trying.Wait()
	for i, z := range zoo {
		t.Run(strings.ReplaceAll(string(z.defect), " ", "_"), func(t *testing.T) {
			for _, c := range sick[i] {
				if c.Verdict != z.verdict {
					t.Errorf("%s: got %s, want %s: %s", c.ID, c.Verdict, z.verdict, c.Says)
				}
			}
			if len(sick[i]) != len(z.cells) || len(healthy[i]) != len(z.cells) {
				t.Errorf("got %d and %d cells, want %d of each", len(sick[i]), len(healthy[i]), len(z.cells))
			}
			noComplaint(t, healthy[i])
		})
	}
}

// TestZooHasAHealthyAnimal finds nothing about an animal without a defect, whatever the condition.
func TestZooHasAHealthyAnimal(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a quarter of a minute")
	}
	run := zooRun(newKeeper(t), none)
	run.Workers = 8
	cells := zooCells(t, run, nil)
	if len(cells) != 118 {
		t.Errorf("got %d cells, want 118", len(cells))
	}
	noComplaint(t, cells)
}

// zooCells runs a matrix of some cells, of all if there are none.
func zooCells(t *testing.T, run *matrix.Run, only []string) []matrix.Cell {
	t.Helper()
	run.Only = only
	report, err := run.Do(t.Context())
	if err != nil {
		t.Error(err)
		return nil
	}
	return report.Cells
}

// noComplaint fails the test if there is anything about a cell to complain of.
func noComplaint(t *testing.T, cells []matrix.Cell) {
	t.Helper()
	for _, c := range cells {
		if c.Verdict.Bad() || c.Verdict == matrix.Skipped || c.Fired == 0 && c.Condition != "corrupt" {
			t.Errorf("healthy: %s: got %s, want nothing to complain of: fired %d: %s", c.ID, c.Verdict, c.Fired, c.Says)
		}
	}
}
