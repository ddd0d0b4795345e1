package toxiproxy

import (
	"fmt"
	"math"
	"time"

	"github.com/chaosgate/chaos"
)

// Attributes are what a type of toxic is told. Each is a struct of int64 that is named in errors, as clients know them.
type attributes interface {
	// faults returns what the toxic is made of: the fault that has its name, and one that goes with it, which may be nil.
	// Its error is about a value, and names the attribute.
	faults() (main, beside chaos.Fault, err error)
}

// types are the types of toxics: for each its attributes, with their defaults.
var types = map[string]func() attributes{
	"noop":       func() attributes { return &NoopToxic{} },
	"latency":    func() attributes { return &LatencyToxic{} },
	"bandwidth":  func() attributes { return &BandwidthToxic{} },
	"slow_close": func() attributes { return &SlowCloseToxic{} },
	"timeout":    func() attributes { return &TimeoutToxic{} },
	"reset_peer": func() attributes { return &ResetToxic{} },
	"slicer":     func() attributes { return &SlicerToxic{} },
	"limit_data": func() attributes { return &LimitDataToxic{} },
}

// The attributes of each type. They are exported for encoding/json, which names the types in its errors.
type (
	// NoopToxic does nothing.
	NoopToxic struct{}

	// LatencyToxic delays.
	LatencyToxic struct {
		Latency int64 `json:"latency"` // ms
		Jitter  int64 `json:"jitter"`  // ms
	}

	// BandwidthToxic limits the rate; with a rate of 0 nothing passes, and nothing is lost.
	BandwidthToxic struct {
		Rate int64 `json:"rate"` // 1000 B/s
	}

	// SlowCloseToxic delays the end of the stream.
	SlowCloseToxic struct {
		Delay int64 `json:"delay"` // ms
	}

	// TimeoutToxic drops all data, and ends the connection after a time of silence; never if that is 0.
	TimeoutToxic struct {
		Timeout int64 `json:"timeout"` // ms
	}

	// ResetToxic resets the connection after a time in which nothing passes.
	ResetToxic struct {
		Timeout int64 `json:"timeout"` // ms
	}

	// SlicerToxic cuts data into pieces.
	SlicerToxic struct {
		AverageSize   int64 `json:"average_size"`   // B
		SizeVariation int64 `json:"size_variation"` // B
		Delay         int64 `json:"delay"`          // µs
	}

	// LimitDataToxic ends the connection behind a number of bytes.
	LimitDataToxic struct {
		Bytes int64 `json:"bytes"`
	}
)

// longest and largest are what package chaos takes at most.
const (
	longest = 365 * 24 * time.Hour
	largest = 1 << 50
)

// within refuses an attribute that is not from least to most.
func within(name string, value, least, most int64) error {
	switch {
	case value < least:
		return fmt.Errorf("%s: got %d, want a number of at least %d", name, value, least)
	case value > most:
		return fmt.Errorf("%s: got %d, want a number of at most %d", name, value, most)
	}
	return nil
}

// span returns a time that was given as a number of units.
func span(name string, value int64, unit time.Duration) (time.Duration, error) {
	if err := within(name, value, 0, int64(longest/unit)); err != nil {
		return 0, err
	}
	return time.Duration(value) * unit, nil
}

func (*NoopToxic) faults() (main, beside chaos.Fault, err error) { return chaos.Delay{}, nil, nil }

func (t *LatencyToxic) faults() (main, beside chaos.Fault, err error) {
	by, err := span("latency", t.Latency, time.Millisecond)
	if err != nil {
		return nil, nil, err
	}
	jitter, err := span("jitter", t.Jitter, time.Millisecond)
	return chaos.Delay{By: by, Jitter: jitter}, nil, err
}

func (t *BandwidthToxic) faults() (main, beside chaos.Fault, err error) {
	if t.Rate == 0 {
		return chaos.Stall{}, nil, nil
	}
	return chaos.Bandwidth{Rate: t.Rate * 1000}, nil, within("rate", t.Rate, 0, largest/1000)
}

func (t *SlowCloseToxic) faults() (main, beside chaos.Fault, err error) {
	by, err := span("delay", t.Delay, time.Millisecond)
	if by == 0 {
		return chaos.Delay{}, nil, err
	}
	return chaos.SlowClose{By: by}, nil, err
}

func (t *TimeoutToxic) faults() (main, beside chaos.Fault, err error) {
	silence, err := span("timeout", t.Timeout, time.Millisecond)
	if silence == 0 {
		return chaos.Discard{}, nil, err
	}
	return chaos.Discard{}, chaos.Idle{For: silence}, err
}

func (t *ResetToxic) faults() (main, beside chaos.Fault, err error) {
	after, err := span("timeout", t.Timeout, time.Millisecond)
	if after == 0 {
		return chaos.Close{Reset: true}, nil, err
	}
	return chaos.Close{Reset: true, After: after}, chaos.Stall{}, err
}

func (t *SlicerToxic) faults() (main, beside chaos.Fault, err error) {
	if err := within("average_size", t.AverageSize, 1, math.MaxInt32); err != nil {
		return nil, nil, err
	}
	if err := within("size_variation", t.SizeVariation, 0, t.AverageSize); err != nil {
		return nil, nil, err
	}
	gap, err := span("delay", t.Delay, time.Microsecond)
	size := t.AverageSize + t.SizeVariation
	// A piece has a byte at least, so that with a variation of all of its size the smallest are one larger.
	return chaos.Slice{Size: int(size), Vary: int(min(2*t.SizeVariation, size-1)), Gap: gap}, nil, err
}

func (t *LimitDataToxic) faults() (main, beside chaos.Fault, err error) {
	if t.Bytes == 0 {
		return chaos.CloseOnData{}, nil, nil
	}
	return chaos.Limit{Bytes: t.Bytes}, nil, within("bytes", t.Bytes, 0, largest)
}

// read returns the toxic that faults stand for, whoever has imposed them; beside may be nil. It is false if none does.
func read(main, beside chaos.Fault) (kind string, a attributes, ok bool) {
	switch f := main.(type) {
	case chaos.Delay:
		kind, a = "latency", &LatencyToxic{int64(f.By / time.Millisecond), int64(f.Jitter / time.Millisecond)}
	case chaos.Bandwidth:
		kind, a = "bandwidth", &BandwidthToxic{f.Rate / 1000}
	case chaos.Stall:
		kind, a = "bandwidth", &BandwidthToxic{}
	case chaos.SlowClose:
		kind, a = "slow_close", &SlowCloseToxic{int64(f.By / time.Millisecond)}
	case chaos.Discard:
		idle, _ := beside.(chaos.Idle)
		kind, a = "timeout", &TimeoutToxic{int64(idle.For / time.Millisecond)}
	case chaos.Close:
		kind, a = "reset_peer", &ResetToxic{int64(f.After / time.Millisecond)}
	case chaos.Slice:
		kind, a = "slicer", &SlicerToxic{int64(f.Size - f.Vary/2), int64(f.Vary / 2), int64(f.Gap / time.Microsecond)}
	case chaos.CloseOnData:
		kind, a = "limit_data", &LimitDataToxic{}
	case chaos.Limit:
		kind, a = "limit_data", &LimitDataToxic{f.Bytes}
	default:
		return "", nil, false
	}
	// What has a parameter that no toxic has, or a finer value than one can have, would have become another fault.
	again, besideAgain, err := a.faults()
	return kind, a, err == nil && again == main && besideAgain == beside
}
