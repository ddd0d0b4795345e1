//go:build linux

package realservers

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/miekg/dns"
)

// A resolver is a client that has several questions under way at once on one socket, and asks again what is not answered in time.
type resolver struct {
	conn     *dns.Conn
	patience time.Duration // how long it waits until it asks again

	sent  int // questions, with those that were asked again
	again int // of them: those that were asked again
	late  int // answers to what was answered already, or was asked again since
}

const (
	// underWay is how many questions a resolver asks at once.
	underWay = 10
	// attempts is how often it asks each. Of datagrams that all faults together harm more than every tenth is lost.
	attempts = 15
)

// resolve asks all questions and checks the answers.
func (r *resolver) resolve(questions []dns.Question) error {
	for len(questions) > 0 {
		n := min(len(questions), underWay)
		if err := r.resolveAtOnce(questions[:n]); err != nil {
			return err
		}
		questions = questions[n:]
	}
	return nil
}

func (r *resolver) resolveAtOnce(open []dns.Question) error {
	for attempt := range attempts {
		pending := make(map[uint16]dns.Question) // by the number of the message that asks
		for _, q := range open {
			m := ask(q, largestMessage)
			// Drawn, a number would sooner or later be that of a late answer to another question.
			m.Id = uint16(r.sent)
			pending[m.Id] = q
			if err := r.conn.WriteMsg(m); err != nil {
				return err
			}
			if r.sent++; attempt > 0 {
				r.again++
			}
		}
		if err := r.receive(pending); err != nil {
			return err
		}
		open = nil
		for _, q := range pending {
			open = append(open, q)
		}
		if len(open) == 0 {
			return nil
		}
	}
	return fmt.Errorf("not answered after %d attempts: %v", attempts, open)
}

// receive takes what is answered from the pending questions, until nothing is left or its patience is at its end.
func (r *resolver) receive(pending map[uint16]dns.Question) error {
	if err := r.conn.SetReadDeadline(time.Now().Add(r.patience)); err != nil {
		return err
	}
	for len(pending) > 0 {
		m, err := r.conn.ReadMsg()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		q, asked := pending[m.Id]
		if !asked {
			r.late++
			continue
		}
		if err := checkAnswer(q, m); err != nil {
			return err
		}
		delete(pending, m.Id)
	}
	return nil
}
