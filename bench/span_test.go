package main

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	at := func(seconds float64) time.Time { return time.Unix(0, int64(seconds*1e9)) }
	tests := []struct {
		name  string
		spans []span
		want  float64
	}{
		{"nothing", nil, 0},
		{"one read has no rate", []span{{First: at(1), Last: at(1), Bytes: 5}}, 0},
		{"one", []span{{First: at(1), Last: at(3), Bytes: 4e6}}, 2},
		{"from the first byte of any to the last of any", []span{
			{First: at(2), Last: at(3), Bytes: 4e6},
			{First: at(1), Last: at(2), Bytes: 5e6},
			{First: at(1.5), Last: at(4), Bytes: 3e6},
		}, 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := rate(test.spans); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
