//go:build linux

package realservers

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chaosgate/chaos/chaostest"
	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"
)

// TestDNSWorks has several resolvers ask at once, under conditions that they must not notice but for having to ask again.
func TestDNSWorks(t *testing.T) {
	t.Parallel()
	for _, condition := range datagramConditions {
		t.Run(condition.name, func(t *testing.T) {
			t.Parallel()
			s := startDNS(t)
			g := datagramGate(t, s.addr)
			imposed := condition.impose(g)

			const resolvers, each = 8, 100
			patience := 200 * time.Millisecond
			if len(condition.faults) == 0 {
				patience = recoversWithin // whoever asks again now has lost something
			}
			begin := time.Now()
			var all []*resolver
			var group errgroup.Group
			for n := range resolvers {
				r := &resolver{conn: dialDNS(t, "udp", g.Addr()), patience: patience}
				all = append(all, r)
				group.Go(func() error { return r.resolve(manyQuestions(n*each, each)) })
			}
			if err := group.Wait(); err != nil {
				t.Error(err)
			}
			sent, again, late := 0, 0, 0
			for _, r := range all {
				sent, again, late = sent+r.sent, again+r.again, late+r.late
			}
			t.Logf("%d questions in %v: %d asked again, %d answers too late or twice; %d reached the server",
				resolvers*each, time.Since(begin).Round(time.Millisecond), again, late, s.asked.Load())

			chaostest.Fired(t, imposed...)
			if got := len(g.Conns()); got != resolvers {
				t.Errorf("got %d sessions, want one for each of the %d resolvers", got, resolvers)
			}
			if len(condition.faults) > 0 {
				return
			}
			nothingLost(t, g)
			stats := g.Stats()
			got := []int64{int64(sent), s.asked.Load(), stats.DatagramsToServer, stats.DatagramsToClient}
			if want := slices.Repeat([]int64{resolvers * each}, len(got)); !slices.Equal(got, want) {
				t.Errorf("sent, received by the server, passed by the gate to the server and to clients: got %v, want %v", got, want)
			}
		})
	}
}

// manyQuestions returns questions with short and with long answers.
func manyQuestions(first, count int) []dns.Question {
	var questions []dns.Question
	for n := first; n < first+count; n++ {
		switch n % 4 {
		case 0:
			questions = append(questions, textOf(n*37%3900, n))
		default:
			questions = append(questions, addressOf(n))
		}
	}
	return questions
}

// TestDNSLargeAnswers asks for what needs EDNS(0), or TCP instead.
func TestDNSLargeAnswers(t *testing.T) {
	t.Parallel()
	s := startDNS(t)
	datagrams, streams := gatePair(t, s.addr)
	direct := largeAnswers(t, s.addr)
	if diff := cmp.Diff(direct, largeAnswers(t, datagrams.Addr())); diff != "" {
		t.Errorf("what the client saw (-directly +through the gates):\n%s", diff)
	}
	nothingLost(t, datagrams)
	if got := streams.Stats().Accepted; got == 0 {
		t.Error("nothing was truncated: TCP was not used")
	}
}

// largeAnswers returns what a client sees that takes so many bytes in a datagram, and asks again by TCP for what has more.
func largeAnswers(t *testing.T, addr string) []string {
	t.Helper()
	var seen []string
	client := &dns.Client{Timeout: recoversWithin}
	overTCP := &dns.Client{Net: "tcp", Timeout: recoversWithin}
	for _, length := range []int{0, 400, 600, 1400, 1500, 3000, 4001, 4002, 4040, 4096, 9000, 60_000} {
		for _, room := range []uint16{0, 1232, largestMessage} {
			q := textOf(length, 0)
			answer, _, err := client.Exchange(ask(q, room), addr)
			if err != nil {
				t.Fatalf("%d bytes of text, room for %d: %v", length, room, err)
			}
			line := fmt.Sprintf("%d bytes of text, room for %d: message of %d, truncated: %t", length, room, answer.Len(), answer.Truncated)
			if answer.Truncated {
				if answer, _, err = overTCP.Exchange(ask(q, 0), addr); err != nil {
					t.Fatalf("%s: over TCP: %v", line, err)
				}
			}
			if err := checkAnswer(q, answer); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			seen = append(seen, fmt.Sprintf("%s; answered with %d", line, answer.Len()))
		}
	}
	return seen
}
