//go:build linux

package realservers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
)

const (
	accounts = 6
	opening  = 1000 // what each account holds at first
	total    = accounts * opening
)

// A transfer moves an amount from one account to another.
type transfer struct{ from, to, amount int }

// An outcome is what a client knows about a transaction in the end.
type outcome int

const (
	undone  outcome = iota // it failed before it was asked to be committed, so it must not have happened
	unknown                // it was asked to be committed, and the answer was lost: it has happened or not
	done                   // it was reported as committed, so it must have happened
)

// A ledger is the clients' book of their transfers.
type ledger struct {
	mu        sync.Mutex // guards what follows
	random    *rand.Rand
	transfers []transfer
	outcomes  []outcome
	errs      map[outcome][]error
	wrong     []error
}

func newLedger(seed uint64) *ledger {
	return &ledger{random: rand.New(rand.NewPCG(seed, 1)), errs: map[outcome][]error{}}
}

// begin draws a transfer and returns it with its id.
func (l *ledger) begin() (id int, tr transfer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tr = transfer{from: l.random.IntN(accounts), amount: 1 + l.random.IntN(50)}
	tr.to = (tr.from + 1 + l.random.IntN(accounts-1)) % accounts
	l.transfers = append(l.transfers, tr)
	l.outcomes = append(l.outcomes, undone)
	return len(l.transfers) - 1, tr
}

// ended notes what has become of a transfer.
func (l *ledger) ended(id int, o outcome, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes[id] = o
	l.errs[o] = append(l.errs[o], err)
	if errors.Is(err, errWrong) {
		l.wrong = append(l.wrong, fmt.Errorf("transfer %d: %w", id, err))
	}
}

// sawWrong notes a result that is wrong.
func (l *ledger) sawWrong(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, err)
}

// isEnough tells whether enough transfers have ended in each way, or a result was wrong: there is no more to be learnt then.
func (l *ledger) isEnough() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.wrong) > 0 || len(l.errs[undone]) >= enoughUndone && len(l.errs[unknown]) >= enoughUnknown && len(l.errs[done]) >= enoughDone
}

// check compares the ledger with what the server has: the transfers, and the accounts' balances.
func (l *ledger) check(t *testing.T, transfers map[int]transfer, balances []int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wrong) > 0 {
		t.Errorf("%d wrong results, the first: %v", len(l.wrong), l.wrong[0])
	}
	want := slices.Repeat([]int{opening}, accounts)
	lost, kept := 0, 0
	for id, planned := range l.transfers {
		got, there := transfers[id]
		switch {
		case l.outcomes[id] == done && !there:
			t.Errorf("transfer %d was reported as committed and has not happened", id)
		case l.outcomes[id] == undone && there:
			t.Errorf("transfer %d failed before its commit was sent and has happened", id)
		case l.outcomes[id] == unknown && there:
			kept++
		case l.outcomes[id] == unknown:
			lost++
		}
		if !there {
			continue
		}
		if got != planned {
			t.Errorf("transfer %d: got %+v, want %+v", id, got, planned)
		}
		want[planned.from] -= planned.amount
		want[planned.to] += planned.amount
		delete(transfers, id)
	}
	if len(transfers) > 0 {
		t.Errorf("got %d transfers that nobody has begun: %v", len(transfers), transfers)
	}
	if !slices.Equal(balances, want) {
		t.Errorf("balances: got %v, want %v", balances, want)
	}
	if sum := sumOf(balances); sum != total {
		t.Errorf("all balances: got %d, want %d", sum, total)
	}
	t.Logf("%d transfers committed, %d failed, %d without an answer to their commit, of which %d have happened", len(l.errs[done]), len(l.errs[undone]), lost+kept, kept)
	for _, o := range []outcome{undone, unknown} {
		if errs := l.errs[o]; len(errs) > 0 {
			t.Logf("for instance: %v", errs[len(errs)/2])
		}
	}
}

func sumOf(balances []int) int {
	sum := 0
	for _, balance := range balances {
		sum += balance
	}
	return sum
}

// checkSum says that a result is wrong if the balances that a client has read do not sum up.
func checkSum(balances ...int) error {
	if sum := sumOf(balances); sum != total {
		return fmt.Errorf("%w: all balances are %d, want %d", errWrong, sum, total)
	}
	return nil
}

// cuts are the ways in which connections are reset while clients are in the middle of their transactions.
var cuts = []struct {
	name               string
	toServer, toClient chaos.Fault
	resets             bool // connections are reset at random moments
}{
	{name: "at random moments", resets: true},
	{name: "behind a random byte to the server", toServer: cutAnywhere(2500)},
	{name: "behind a random byte to the client", toClient: cutAnywhere(2500)},
}

// cutAnywhere resets each connection behind a byte that is drawn for it, one of the first most.
func cutAnywhere(most uint64) chaos.Fault {
	return chaos.FaultFunc(func(st *chaos.Stage, next chaos.Sink) chaos.Sink {
		return chaos.Limit{Bytes: 1 + int64(st.Draw(0)%most), Reset: true}.Impose(st, next)
	})
}

const (
	tellers = 4
	// It is enough when so many transfers have ended in each way that the test means something.
	enoughDone, enoughUndone, enoughUnknown = 200, 40, 5
	// transfersWithin is how long that may take.
	transfersWithin = 90 * time.Second
)

// cutWhile has tellers make transfers over the gate until enough of them have ended in each way, while their connections
// are cut. A teller makes transfers until it is told to stop, or its connection has broken: then it is called again.
func cutWhile(t *testing.T, g *chaos.Gate, l *ledger, toServer, toClient chaos.Fault, resets bool, teller func(stop <-chan struct{})) {
	t.Helper()
	var imposed []*chaos.Imposed
	if toServer != nil {
		imposed = append(imposed, g.ToServer.Add(toServer))
	}
	if toClient != nil {
		imposed = append(imposed, g.ToClient.Add(toClient))
	}
	stop := make(chan struct{}) // closed when it is enough
	var work sync.WaitGroup
	for range tellers {
		work.Go(func() {
			for !closed(stop) {
				teller(stop)
			}
		})
	}
	reset := 0
	if resets {
		work.Go(func() {
			random := rand.New(rand.NewPCG(g.Seed, 2))
			for !closed(stop) {
				time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond) // the random moments
				reset += g.ResetConns(1 + random.IntN(tellers))
			}
		})
	}
	defer func() {
		close(stop)
		work.Wait()
		if resets && reset == 0 {
			t.Error("no connection was reset")
		}
		chaostest.Fired(t, imposed...)
	}()
	until(t, transfersWithin, "enough transfers have ended in each way", l.isEnough)
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
