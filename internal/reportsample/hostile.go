package reportsample

import (
	"strings"

	"github.com/chaosgate/chaos/matrix"
)

// Hostile are strings that a probe may write to have its way with whoever reads the report.
var Hostile = []string{
	`</script><script>document.title='owned'</script><img src=x onerror="document.title='owned'">`,
	`"><svg onload=document.title='owned'><a href="javascript:document.title='owned'">click</a></details>`,
	`{{.Report}} ]]> <![CDATA[ &amp; <!-- --> ?> %3Cscript%3E ${7*7} ` + "\x60rm -rf\x60",
	"| a | b |\n|---|---|\n# heading\n```\n[x](javascript:alert(1)) ![i](http://example.org/i.png) @everyone #1 <details>",
	"\x1b[2J\x1b[31mred\x1b]0;title\x07 \x9b31m \r overwritten \b\b\b \x00 NUL \x7f DEL \u0085 \u2028 line \ufffe \uffff",
	"invalid \xff\xfe UTF-8 \xc3\x28 and a half rune \xe2\x82",
	"right to left \u202egnp.exe\u202c, no width \u200b\u2060, tag \U000e0041, and a wide \U0001f4a5 日本語 e\u0301",
	strings.Repeat("a very long line without an end ", 300),
	strings.Repeat("nospaces", 1000),
	strings.Repeat("\n", 200) + "after many lines",
}

// Nasty returns a report with all of Hostile in every field that is text.
func Nasty() *matrix.Report {
	r := reportOf(nil)
	n := 0
	next := func() string { n++; return Hostile[n%len(Hostile)] }
	r.Tool, r.Repeat, r.Notes = next(), next(), Hostile
	r.Machine.Name, r.Machine.OS, r.Machine.Arch, r.Machine.Go = next(), next(), next(), next()
	r.Subject = matrix.Subject{Name: next(), Probe: next(), Kind: next(), Network: next(), Server: next(), Gate: next(), Workers: 1}
	r.Baseline.Answer = next()
	r.Choice = matrix.Choice{Only: Hostile, File: next(), Cell: next()}
	for i, text := range Hostile {
		c := sampleCell(i, conditions[i], matrix.Both, matrix.Moments[i%3])
		c.ID, c.Condition, c.Group, c.Imposed, c.Says, c.Repeat = text, next(), next(), next(), next(), next()
		switch i % 4 {
		case 1:
			c.Verdict, c.Direction = matrix.Verdict(next()), matrix.Direction(next())
		case 2:
			c.Met, c.Moment = matrix.Verdict(next()), matrix.Moment(next())
		}
		for j := range c.Attempts {
			a := &c.Attempts[j]
			a.Says, a.Output, a.Omitted = next(), next(), 123456
		}
		for j := range c.Seen.Conns {
			conn := &c.Seen.Conns[j]
			conn.By, conn.How, conn.Err = next(), next(), next()
		}
		c.Seen.Closed = append(c.Seen.Closed, matrix.Closing{By: next(), How: next(), Count: 2})
		c.Worse = i%2 == 0
		r.Cells = append(r.Cells, c)
		r.Counts[c.Verdict]++
		r.Conditions = append(r.Conditions, matrix.ConditionInfo{Name: c.Condition, Group: c.Group, Help: next(), Text: next()})
	}
	r.Worse, r.Failed, r.Planned = 5, true, len(r.Cells)
	r.Expected = &matrix.Comparison{
		File: next(), Missing: Hostile, New: Hostile,
		Changed: []matrix.Difference{{ID: next(), Want: matrix.Verdict(next()), Got: matrix.Verdict(next())}},
	}
	return r
}
