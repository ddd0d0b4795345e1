package matrix

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// ParseConditions reads conditions, one a line: a name, in which directions and at which moments it is tried, if not in all
// and at all, a colon and what is imposed. That is faults as on the command line, a door, or an end of all connections. A
// name or a group without a colon is one of [Standard]. What follows a # at the beginning of a word is a comment.
//
//	far:                      delay by=80ms jitter=10ms
//	lossy to_client idle:     after bytes=1KiB stall
//	restart:                  reset all
//	full:                     door hold
//	silence                   # stall, discard and vanish
//
// Its errors name the line.
func ParseConditions(network, text string) ([]Condition, error) {
	var all []Condition
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = withoutComment(line)
		if line == "" {
			continue
		}
		conditions, err := parseCondition(line)
		for _, c := range conditions {
			if err == nil {
				err = c.Check(network)
			}
			if err == nil && slices.ContainsFunc(all, func(other Condition) bool { return other.Name == c.Name }) {
				err = fmt.Errorf("condition %s: stands there twice", c.Name)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		all = append(all, conditions...)
	}
	if len(all) == 0 {
		return nil, errors.New("got no condition, want one a line, such as far: delay by=80ms")
	}
	return all, nil
}

// withoutComment returns a line without its comment and the blanks around it.
func withoutComment(line string) string {
	line = " " + strings.TrimSpace(line)
	quoted := false
	for i := range line {
		switch {
		case line[i] == '"' && line[i-1] != '\\':
			quoted = !quoted
		case line[i] == '#' && !quoted && strings.ContainsRune(" \t", rune(line[i-1])):
			return strings.TrimSpace(line[:i])
		}
	}
	return strings.TrimSpace(line)
}

// parseCondition reads a line.
func parseCondition(line string) ([]Condition, error) {
	head, what, ok := strings.Cut(line, ":")
	words := strings.Fields(head)
	if !ok {
		if len(words) > 1 {
			return nil, fmt.Errorf("got %q, want a name, a colon and what is imposed, such as far: delay by=80ms", line)
		}
		return standard(words[0])
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("got %q, want a name before the colon", line)
	}
	c := Condition{Name: words[0], Group: "custom"}
	for _, word := range words[1:] {
		d, m := Direction(word), Moment(word)
		switch {
		case slices.Contains(Directions, d):
			c.Directions = append(c.Directions, d)
		case slices.Contains(Moments, m):
			c.Moments = append(c.Moments, m)
		default:
			return nil, fmt.Errorf("condition %s: got %q, want a direction or a moment: %v, %v", c.Name, word, Directions, Moments)
		}
	}
	what = strings.TrimSpace(what)
	c.Help = "Imposed is " + what + "."
	door, isDoor := strings.CutPrefix(what, "door ")
	switch {
	case isDoor:
		if err := c.Door.UnmarshalText([]byte(strings.TrimSpace(door))); err != nil {
			return nil, fmt.Errorf("condition %s: door: %w", c.Name, err)
		}
		if c.Door == chaos.Open {
			return nil, fmt.Errorf("condition %s: door: got open, want hold, refuse or blackhole", c.Name)
		}
	case what == "close all":
		c.End = chaos.FullClose
	case what == "reset all":
		c.End = chaos.RST
	default:
		faults, err := spec.ParseFaults(what)
		if err != nil {
			return nil, fmt.Errorf("condition %s: %w", c.Name, err)
		}
		c.Faults = faults
	}
	return []Condition{c}, nil
}

// standard returns the conditions of that name, or of that group.
func standard(name string) (all []Condition, err error) {
	var known []string
	for _, c := range Standard {
		if c.Name == name || c.Group == name {
			all = append(all, c)
		}
		known = append(known, c.Name)
		if !slices.Contains(known, c.Group) {
			known = append(known, c.Group)
		}
	}
	if len(all) == 0 {
		return nil, unknownCondition("standard", name, known)
	}
	return all, nil
}
