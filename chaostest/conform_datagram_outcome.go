package chaostest

import (
	"bytes"
	"fmt"
	"slices"
)

// judgeDatagrams holds an outcome to the rules that every run has to keep.
func (c *trial) judgeDatagrams(s *session, sent [][]byte) {
	if why := s.misshapen(sent); why != "" && !c.traits.Resizes {
		c.fails(RuleWhole, "%s", why)
	}
	if c.lossless && !s.delivered(sent) {
		c.fails(RuleLossless, "%d datagrams were sent and %d arrived: %s", len(sent), len(s.pieces), countDifference(s.datagrams(), sent))
	}
}

// datagramsOf makes datagrams of Data. One of them is empty. The sizes of the others are odd, so that two that were joined, and parts of one that was
// cut, are found out; the last has the rest.
func datagramsOf(data []byte) (all [][]byte) {
	for i := 0; len(data) > 0; i++ {
		if i == 3 {
			all = append(all, nil)
		}
		n := min(9+2*(i*7%40), len(data))
		all = append(all, data[:n:n])
		data = data[n:]
	}
	return all
}

// datagrams returns those that have arrived.
func (o *outcome) datagrams() (all [][]byte) {
	for _, p := range o.pieces {
		all = append(all, p.data)
	}
	return all
}

// misshapen tells which datagrams have a size that none has which was sent.
func (o *outcome) misshapen(sent [][]byte) string {
	for i, p := range o.pieces {
		if !slices.ContainsFunc(sent, func(d []byte) bool { return len(d) == len(p.data) }) {
			return fmt.Sprintf("arrival %d has %d bytes, which none has that was sent: %.16q", i, len(p.data), p.data)
		}
	}
	return ""
}

// delivered reports whether each datagram has arrived once, or, if the session was cut short, not more often.
func (o *outcome) delivered(sent [][]byte) bool {
	got, all := countsOf(o.datagrams()), countsOf(sent)
	for d, n := range got {
		if n > all[d] {
			return false
		}
	}
	return o.cutShort || len(o.pieces) == len(sent)
}

func countsOf(datagrams [][]byte) map[string]int {
	counts := make(map[string]int)
	for _, d := range datagrams {
		counts[string(d)]++
	}
	return counts
}

// countDifference tells which datagram has arrived more often, or less often, than it should have.
func countDifference(got, want [][]byte) string {
	a, b := countsOf(got), countsOf(want)
	for _, d := range slices.Concat(want, got) {
		if n, m := a[string(d)], b[string(d)]; n != m {
			return fmt.Sprintf("%.16q of %d bytes: got it %d times, want %d", d, len(d), n, m)
		}
	}
	return ""
}

// differently tells how an outcome of datagrams differs from another in what has arrived, and in when and in what order if times is set.
func (o *outcome) differently(want outcome, times bool) string {
	if why := countDifference(o.datagrams(), want.datagrams()); why != "" || !times {
		return why
	}
	for i, p := range o.pieces {
		if w := want.pieces[i]; p.at != w.at || !bytes.Equal(p.data, w.data) {
			return fmt.Sprintf("arrival %d: got %.16q of %d bytes after %v, want %.16q of %d after %v", i, p.data, len(p.data), p.at, w.data, len(w.data), w.at)
		}
	}
	return ""
}
