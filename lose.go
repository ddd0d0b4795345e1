package chaos

// Lose throws datagrams away. Which ones is told by just one of Chance, P, Every and List.
//
//   - Chance is the share of datagrams that are lost, each by itself; with Burst they are lost in runs of exactly so many, which may touch, and
//     the share stays the same.
//   - P and R make it the model of Gilbert and Elliott: the wire is good or bad, and goes from good to bad with the chance P before each datagram, from
//     bad to good with the chance R. A datagram passes with the chance K when it is good, with H when it is bad. It begins good.
//   - Every loses each datagram whose number is a multiple of it, List those of certain numbers. Counted are the datagrams that reach the
//     fault since it was imposed on the session, from 1.
//
// What is drawn for a datagram depends on the seed and its number alone.
type Lose struct {
	Chance float64 `json:"chance" unit:"chance" help:"the share of datagrams that are lost"`
	Burst  int     `json:"burst" default:"1" help:"with chance: how many are lost in a row"`
	P      float64 `json:"p" unit:"chance" help:"the chance that the wire gets bad before a datagram"`
	R      float64 `json:"r" unit:"chance" help:"with p: the chance that it gets good again"`
	H      float64 `json:"h" unit:"chance" default:"none passes" help:"with p: the chance of a datagram to pass while it is bad"`
	K      float64 `json:"k" unit:"chance" default:"all pass" help:"with p: the chance of a datagram to pass while it is good"`
	Every  int     `json:"every" help:"each datagram whose number is a multiple of this is lost"`
	List   string  `json:"list" help:"the numbers of the datagrams that are lost, such as 1,4,7-9"`
}

func init() {
	Register("lose", "Datagrams are lost, by chance or by number.", Lose{})
}

// Check implements [Checker].
func (f Lose) Check(network string) error {
	if err := DatagramsOnly(network, "a stream loses nothing"); err != nil {
		return err
	}
	return f.checkChoice()
}

// Impose implements [Fault].
func (f Lose) Impose(st *Stage, next Sink) Sink {
	l := st.State(func() any { return new(losing) }).(*losing)
	lost := f.decide(st, l)
	return func(s Segment) {
		if !st.hasData(s) {
			next(s)
			return
		}
		if l.reached++; lost() {
			st.lose(len(s.Data))
			return
		}
		next(s)
	}
}
