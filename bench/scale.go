package main

import "time"

// A scale is how much is measured.
type scale struct {
	rounds     int
	load       time.Duration // how long a load lasts in a turn
	idle       []int         // the numbers of idle connections
	rest       time.Duration // how long idle connections are watched
	settle     time.Duration // how long a contender is left alone first, so that what it does late is done
	neighbours int           // idle connections beside the one that is used
	live       []int         // the numbers of connections that Set is called on
	sets       int           // calls of Set in a turn, on each of them
}

var (
	fullScale = scale{
		rounds: 5, load: time.Second,
		idle: []int{2000, 8000}, rest: 2 * time.Second, settle: 500 * time.Millisecond,
		neighbours: 5000, live: []int{1, 100, 5000}, sets: 20,
	}
	quickScale = scale{
		rounds: 1, load: 150 * time.Millisecond,
		idle: []int{50, 200}, rest: 100 * time.Millisecond, settle: 50 * time.Millisecond,
		neighbours: 200, live: []int{1, 20, 200}, sets: 4,
	}
)

// fit lowers the numbers of connections to what the limit of open files allows: a proxy needs two for each of them.
func (s *scale) fit(files int) {
	most := max(1, (files-1000)*9/20)
	clamp := func(numbers []int) []int {
		var fitting []int
		for _, n := range numbers {
			if n = min(n, most); len(fitting) == 0 || n > fitting[len(fitting)-1] {
				fitting = append(fitting, n)
			}
		}
		return fitting
	}
	s.idle, s.live, s.neighbours = clamp(s.idle), clamp(s.live), min(s.neighbours, most)
}
