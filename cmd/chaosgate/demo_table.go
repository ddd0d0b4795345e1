package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// tableWidth is how many columns the table may take: what a terminal beside an editor has.
const tableWidth = 100

// introduce says who takes part.
func introduce(w io.Writer, l *lab, healthy time.Duration) {
	fmt.Fprintf(w, "client   go-redis: %d connections, timeouts of %d ms, %d retry; %d workers\n",
		clientPool, clientTimeout.Milliseconds(), clientRetries, workers)
	fmt.Fprintf(w, "gate     %s, seed %#x\n", l.gate.Addr(), l.gate.Seed)
	fmt.Fprintf(w, "server   miniredis at %s\n", l.server.addr())
	fmt.Fprintf(w, "healthy  %s for a SET and a GET of %d KiB\n\n", short(healthy), valueSize>>10)
}

// line returns a finding on one line.
func (f *finding) line(p paint) string {
	text := fmt.Sprintf("%-43s %s", f.condition.String(), f.colour(p)(f.metText()))
	if f.healthy && f.fired == 0 {
		text += p.red(", NOT EXERCISED")
	}
	if f.healthy && !f.recovered {
		text += p.red(", NO RECOVERY")
	}
	return text
}

// metText returns what the client met.
func (f *finding) metText() string {
	if !f.healthy {
		return "skipped: not healthy before"
	}
	return f.met.String()
}

// colour returns the paint for what the client met.
func (f *finding) colour(p paint) func(string) string {
	switch worst := f.met.worst(); {
	case !f.healthy, worst >= wrong:
		return p.red
	case worst >= slow:
		return p.yellow
	default:
		return p.green
	}
}

// report writes the table: two lines for each condition, with its name and how it is written.
func report(w io.Writer, findings []finding, p paint) {
	t := table{
		columns: []column{
			{title: "CONDITION"},
			{title: "WHERE"},
			{title: "WHAT THE CLIENT MET"},
			{title: "FIRED", right: true},
			{title: "RECOVERED", right: true},
			{title: "CONNS", right: true},
		},
		rows: tableRows(findings, p),
	}
	const met = 2 // the column that gives way when there is not enough room
	left := tableWidth - t.fit()
	t.columns[met].width += min(left+2, 0)
	fmt.Fprintln(w)
	t.write(w, p)
}

// tableRows returns the rows of the table. Findings of one condition stand together; beside the first is its name,
// beneath that how it is written.
func tableRows(findings []finding, p paint) (rows [][]cell) {
	for i := 0; i < len(findings); {
		c := findings[i].condition
		margin := []cell{{c.name, p.bold}, {c.text, p.dim}}
		for ; i < len(findings) && findings[i].condition.name == c.name; i++ {
			first := cell{}
			if len(margin) > 0 {
				first, margin = margin[0], margin[1:]
			}
			rows = append(rows, append([]cell{first}, findings[i].cells(p)...))
		}
		for _, first := range margin {
			rows = append(rows, []cell{first, {}, {}, {}, {}, {}})
		}
	}
	return rows
}

// cells returns what stands beside the condition.
func (f *finding) cells(p paint) []cell {
	row := []cell{{f.condition.way, nil}, {f.metText(), f.colour(p)}, {"-", p.red}, {"-", p.red}, {}}
	if !f.healthy {
		return row
	}
	row[2] = cell{"NO", p.red}
	if f.fired > 0 {
		row[2] = cell{count(f.fired), nil}
	}
	row[3] = cell{"NOT AT ALL", p.red}
	if f.recovered {
		row[3] = cell{short(f.after), nil}
	}
	row[4] = cell{fmt.Sprint(f.opened), nil}
	return row
}

// count returns a number as a person would say it: thousands where single ones do not matter.
func count(n int64) string {
	if n < 10_000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%dk", n/1000)
}

// conclude sums up, and says what the words in the table mean.
func conclude(w io.Writer, findings []finding, healthy, took time.Duration, seed uint64) {
	var worst [hang + 1]int
	var fired, recovered, skipped int
	for i := range findings {
		f := &findings[i]
		if !f.healthy {
			skipped++
			continue
		}
		worst[f.met.worst()]++
		if f.fired > 0 {
			fired++
		}
		if f.recovered {
			recovered++
		}
	}
	fmt.Fprintf(w, "\n%d conditions in %.0f s, seed %#x: %d went unnoticed, %d made the client slow,\n%d gave it errors, %d wrong answers, %d hung.",
		len(findings), took.Seconds(), seed, worst[fine], worst[slow], worst[failed], worst[wrong], worst[hang])
	fmt.Fprintf(w, " %s fired, and it recovered from %s.\n",
		portion(fired, len(findings)), strings.ToLower(portion(recovered, len(findings))))
	if skipped > 0 {
		fmt.Fprintf(w, "Skipped: %d, because the client did not work before.\n", skipped)
	}
	fmt.Fprintf(w, `
ok            right, within %d ms (healthy: %s)
slow          right, but later; in brackets the slowest
timed out, …  an error that the client reported: which
WRONG         not what was stored, and the client took it for right: Redis has no checksums
HANG          neither an answer nor an error within %.0f s, despite the client's timeouts
fired         how often the condition made a difference; one that never did proves nothing;
              of --door refuse the client's dials that were refused, for the gate cannot see them
recovered     from lifting it to the first right answer, and the connections that this took;
              go-redis tries only once a second to connect when that has failed often
`, slowAfter.Milliseconds(), short(healthy), hangAfter.Seconds())
}

// portion returns a number of a whole in words.
func portion(n, whole int) string {
	if n == whole {
		return "All"
	}
	return fmt.Sprintf("%d of %d", n, whole)
}

// instruct says how to go on with a server of one's own, and this program or the library.
func instruct(w io.Writer, program string) {
	fmt.Fprintf(w, `
Now your own server, say one at 127.0.0.1:5432: let its clients connect to 127.0.0.1:15432, and

    %s run 127.0.0.1:15432,127.0.0.1:5432 --to-client 'delay by=200ms jitter=50ms'

or in a Go test:

    gate := chaostest.NewGate(t, "127.0.0.1:5432")  // clients connect to gate.Addr()
    slow := gate.ToClient.Add(chaos.Delay{By: 200 * time.Millisecond})
    …
    chaostest.Fired(t, slow)
`, program)
}
