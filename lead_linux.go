package chaos

import "time"

// A lead is how long before a moment the pacer sets its timer. To be woken from an idle processor takes tens of microseconds,
// longer than all that is to be done then, and about as long each time. It is learnt: what four wakes in five take at least.
// So of five wakes one is too early, and by little; it waits for the rest.
type lead struct{ by time.Duration }

const (
	firstLead = 20 * time.Microsecond
	mostLead  = 100 * time.Microsecond // a machine that takes longer is busy, and would only be kept so
	// moreLead and lessLead are how far the lead moves with each wake. Their ratio makes it what one wake in five falls short of.
	moreLead = time.Microsecond
	lessLead = 4 * moreLead
	// spinMost is how long a wake that is too early spins. One that is earlier still sets its timer once more.
	spinMost = 20 * time.Microsecond
)

// learn is told how long after the timer's moment a wake came.
func (l *lead) learn(late time.Duration) {
	if late < l.by {
		l.by = max(l.by-lessLead, 0)
		return
	}
	l.by = min(l.by+moreLead, mostLead)
}
