package matrix

import "slices"

// A Verdict tells what came of a cell, or of one attempt of the probe.
type Verdict string

// The verdicts, the worse the later. Attempts have OK to Hang only.
const (
	OK           Verdict = "ok"            // the right answer in good time
	NotExercised Verdict = "not_exercised" // the condition never fired: this is no pass
	Skipped      Verdict = "skipped"       // the probe did not work before the condition was imposed
	Slow         Verdict = "slow"          // the right answer, late
	Error        Verdict = "error"         // the probe failed, fast
	Timeout      Verdict = "timeout"       // the probe failed by a timeout of its own
	Storm        Verdict = "storm"         // connections were opened again and again, without a pause
	Hang         Verdict = "hang"          // neither an answer nor an error until the deadline: it was killed
	NoRecovery   Verdict = "no_recovery"   // the probe did not work again when the condition was gone
	Crash        Verdict = "crash"         // the probe died
	Wrong        Verdict = "wrong"         // an answer that is not the baseline's, and no error
)

// Verdicts are all verdicts, from the best to the worst.
var Verdicts = []Verdict{OK, NotExercised, Skipped, Slow, Error, Timeout, Storm, Hang, NoRecovery, Crash, Wrong}

// Bad are the verdicts that fail a run for which nothing else is expected.
var Bad = []Verdict{Storm, Hang, NoRecovery, Crash, Wrong}

var verdictWords = map[Verdict]string{
	OK: "ok", NotExercised: "not exercised", Skipped: "skipped", Slow: "slow", Error: "error", Timeout: "timeout", Storm: "STORM",
	NoRecovery: "NO RECOVERY", Hang: "HANG", Crash: "CRASH", Wrong: "WRONG",
}

// Words returns the verdict as people read it, a bad one in capitals.
func (v Verdict) Words() string {
	if words, ok := verdictWords[v]; ok {
		return words
	}
	return string(v)
}

// Bad reports whether the verdict fails a run for which nothing else is expected.
func (v Verdict) Bad() bool { return slices.Contains(Bad, v) }

// Worse reports whether v is worse than other.
func (v Verdict) Worse(other Verdict) bool {
	return slices.Index(Verdicts, v) > slices.Index(Verdicts, other)
}
