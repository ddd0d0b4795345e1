package matrix

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRulerGivesEachPhaseRoom(t *testing.T) {
	const s, ms = Span(time.Second), Span(time.Millisecond)
	tests := []struct {
		name   string
		t      Timeline
		uneven bool
	}{
		{"as long as one another", Timeline{Imposed: s, Lifted: 2 * s, Until: 3 * s}, false},
		{"long under the condition", Timeline{Imposed: 10 * ms, Lifted: 10 * s, Until: 10*s + 20*ms}, true},
		{"long after it", Timeline{Imposed: 10 * ms, Lifted: 260 * ms, Until: 16 * s}, true},
		{"at once", Timeline{Lifted: s, Until: 2 * s}, true},
		{"to the end", Timeline{Imposed: s, Lifted: 2 * s, Until: 2 * s}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRuler(test.t)
			for i, least := range leastRoom {
				if room := r.place[i+1] - r.place[i]; room < least-0.001 {
					t.Errorf("phase %d: got %.1f percent, want %v at least", i, room, least)
				}
			}
			last := -1.0
			for at := Span(0); at <= test.t.Until; at += test.t.Until / 100 {
				if x := r.x(at); x < last || x > 100 {
					t.Errorf("at %v: got %v after %v", at, x, last)
				} else {
					last = x
				}
			}
			if got := r.x(test.t.Until); got != 100 && test.t.Until > test.t.Lifted {
				t.Errorf("at the end: got %v, want 100", got)
			}
			if r.uneven() != test.uneven {
				t.Errorf("uneven: got %v, want %v", r.uneven(), test.uneven)
			}
		})
	}
}

func TestTicksHaveRoom(t *testing.T) {
	for _, until := range []time.Duration{time.Microsecond, 3 * time.Millisecond, 1900 * time.Millisecond, 15 * time.Second, 3 * time.Hour} {
		ticks := newRuler(Timeline{Imposed: Span(until / 5), Lifted: Span(until / 2), Until: Span(until)}).ticks()
		if len(ticks) < 4 || len(ticks) > 9 {
			t.Errorf("%v: got %d ticks, want some", until, len(ticks))
		}
		places := map[int]bool{}
		for _, tick := range ticks {
			x, err := strconv.ParseFloat(strings.TrimSuffix(tick.X, "%"), 64)
			if err != nil || x < 0 || x > 100 || places[int(x)/6] {
				t.Errorf("%v: got a tick at %s (%v), want one with room on the axis", until, tick.X, err)
			}
			places[int(x)/6] = true
		}
	}
}

// TestDrawingsOfWhatCannotBe draws what no run has seen, and what a file may say all the same.
func TestDrawingsOfWhatCannotBe(t *testing.T) {
	values := []Span{0, -1, 1, Span(time.Second), math.MaxInt64, math.MinInt64}
	for _, imposed := range values {
		for _, lifted := range values {
			for _, until := range values {
				c := &Cell{
					Timeline: Timeline{Imposed: imposed, Lifted: lifted, Until: until, Points: []Point{{At: lifted}, {At: until, ToServer: math.MaxInt64}, {At: imposed, ToClient: -7}}},
					Attempts: []Attempt{{Phase: After, At: lifted, Took: until}},
					Recovery: &Recovery{Once: true, Recovered: true, First: imposed, Three: until},
					Seen:     Seen{Conns: []Connection{{Opened: until, Ended: imposed}}},
				}
				d := c.drawing()
				for _, x := range []string{d.Attempts[0].X, d.Attempts[0].End, d.Conns[0].X, d.Conns[0].Width} {
					if n, err := strconv.ParseFloat(strings.TrimSuffix(x, "%"), 64); err != nil || n < 0 || n > 100 {
						t.Errorf("%d, %d, %d: got the place %s, want one in the drawing", imposed, lifted, until, x)
					}
				}
				if text := d.ToServer.Line + d.ToClient.Area; strings.Contains(text, "NaN") || strings.Contains(text, "-") {
					t.Errorf("%d, %d, %d: got the curves %s", imposed, lifted, until, text)
				}
			}
		}
	}
}

func TestMarksOfTheWorstUnderTheConditionComeFirst(t *testing.T) {
	const ms = Span(time.Millisecond)
	c := &Cell{Timeline: Timeline{Imposed: 10 * ms, Lifted: 1000 * ms, Until: 1100 * ms}, Attempts: []Attempt{
		{Phase: Before, At: 5 * ms, Took: 5 * ms, Outcome: Error},
		{Phase: Under, At: 11 * ms, Took: 4 * ms, Outcome: OK},
		{Phase: Under, At: 16 * ms, Took: 4 * ms, Outcome: Wrong},
		{Phase: After, At: 1050 * ms, Took: 5 * ms, Outcome: OK},
	}}
	var got []bool
	for _, a := range c.drawing().Attempts {
		got = append(got, a.Mark != "")
	}
	if want := []bool{false, false, true, true}; !slices.Equal(got, want) {
		t.Errorf("got marks %v, want %v: two are too near to the wrong answer", got, want)
	}
}

func TestRoundStep(t *testing.T) {
	tests := []struct{ least, want time.Duration }{
		{1, 10 * time.Microsecond},
		{11 * time.Microsecond, 20 * time.Microsecond},
		{time.Millisecond, time.Millisecond},
		{2100 * time.Millisecond, 5 * time.Second},
		{7 * time.Second, 10 * time.Second},
	}
	for _, test := range tests {
		if got := roundStep(float64(test.least)); time.Duration(got) != test.want {
			t.Errorf("%v: got %v, want %v", test.least, time.Duration(got), test.want)
		}
	}
}
