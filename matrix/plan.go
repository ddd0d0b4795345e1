package matrix

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/chaosgate/chaos/spec"
)

// A plannedCell is a cell that is to be tried.
type plannedCell struct {
	id        string
	condition Condition
	direction Direction
	moment    Moment
}

// plan returns the cells to try, of conditions in their order. With no connection that is left open there is no idle one.
func (r *Run) plan(idle bool) (cells []plannedCell, notes []string, err error) {
	var all, without []plannedCell
	for _, c := range r.Conditions {
		for _, d := range c.directions() {
			for _, m := range c.moments() {
				cell := plannedCell{cellID(c.Name, d, m), c, d, m}
				if m == Idle && !idle {
					without = append(without, cell)
					continue
				}
				all = append(all, cell)
			}
		}
	}
	const why = "the probe leaves no connection open, so no condition can be imposed on an idle one"
	if r.Cell != "" {
		cells, err = pick(all, r.Cell)
		if err != nil && slices.ContainsFunc(without, func(c plannedCell) bool { return c.id == r.Cell }) {
			err = fmt.Errorf("cell %s: %s", r.Cell, why)
		}
		return cells, nil, err
	}
	if err := r.checkOnly(append(slices.Clone(all), without...)); err != nil {
		return nil, nil, err
	}
	cells = slices.DeleteFunc(all, func(c plannedCell) bool { return !r.wants(c) })
	without = slices.DeleteFunc(without, func(c plannedCell) bool { return !r.wants(c) })
	if len(without) > 0 {
		notes = append(notes, fmt.Sprintf("%d cells are left out: %s.", len(without), why))
	}
	if len(cells) == 0 {
		return nil, nil, fmt.Errorf("only: no cell is left of %s", strings.Join(r.Only, ", "))
	}
	if r.Quick {
		cells = pairwise(cells)
	}
	return cells, notes, nil
}

// pick returns the cell of a name.
func pick(all []plannedCell, id string) ([]plannedCell, error) {
	condition, _, _, err := SplitID(id)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(c plannedCell) bool { return c.id == id })
	if i >= 0 {
		return all[i : i+1], nil
	}
	var same []string
	for _, c := range all {
		if c.condition.Name == condition {
			same = append(same, c.id)
		}
	}
	if len(same) == 0 {
		return nil, unknownCondition("cell "+id, condition, names(all))
	}
	return nil, fmt.Errorf("cell %s: there is none, %s has %s", id, condition, strings.Join(same, ", "))
}

// wants reports whether a cell is one of those that were asked for.
func (r *Run) wants(c plannedCell) bool {
	return len(r.Only) == 0 || slices.ContainsFunc(r.Only, func(pattern string) bool { return matches(pattern, c) })
}

// matches reports whether a pattern fits a cell's name, the beginning of it, or its group.
func matches(pattern string, c plannedCell) bool {
	for _, name := range []string{c.id, c.condition.Name + "/" + string(c.direction), c.condition.Name, c.condition.Group} {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

// checkOnly refuses patterns that fit nothing.
func (r *Run) checkOnly(all []plannedCell) error {
	for _, pattern := range r.Only {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("only: got %q, want a condition, a group or a pattern such as */to_client/*", pattern)
		}
		if slices.ContainsFunc(all, func(c plannedCell) bool { return matches(pattern, c) }) {
			continue
		}
		if strings.ContainsAny(pattern, "*?[/") {
			return fmt.Errorf("only: no cell fits %q", pattern)
		}
		return unknownCondition("only", pattern, names(all))
	}
	return nil
}

// unknownCondition returns the error about a condition that there is not.
func unknownCondition(where, name string, known []string) error {
	if near := spec.Nearest(name, known); near != "" {
		return fmt.Errorf("%s: unknown condition %q, did you mean %s?", where, name, near)
	}
	return fmt.Errorf("%s: unknown condition %q, want one of %s", where, name, strings.Join(known, ", "))
}

// names returns the conditions of cells, and their groups.
func names(cells []plannedCell) (all []string) {
	for _, c := range cells {
		for _, name := range []string{c.condition.Name, c.condition.Group} {
			if name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// pairwise chooses cells so that every pair of condition and direction, condition and moment, and direction and moment
// that stands in a cell stands in a chosen one: a mistake that needs two things to come together is found, by a third of
// the cells. Always the cell with most that is new is chosen, the first of several.
func pairwise(cells []plannedCell) []plannedCell {
	pairs := func(c plannedCell) [3]string {
		return [3]string{
			c.condition.Name + "/" + string(c.direction), c.condition.Name + "//" + string(c.moment), string(c.direction) + "/" + string(c.moment),
		}
	}
	seen := map[string]bool{}
	chosen := map[string]bool{}
	for {
		best, most := -1, 0
		for i, c := range cells {
			fresh := 0
			for _, pair := range pairs(c) {
				if !seen[pair] {
					fresh++
				}
			}
			if fresh > most {
				best, most = i, fresh
			}
		}
		if best < 0 {
			break
		}
		chosen[cells[best].id] = true
		for _, pair := range pairs(cells[best]) {
			seen[pair] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(cells), func(c plannedCell) bool { return !chosen[c.id] })
}

// errNoCell is about a name that no cell has.
var errNoCell = errors.New("no such cell is planned")

// drawSeed returns a seed that is not zero, and short enough to be typed again.
func drawSeed() spec.Seed {
	var b [4]byte
	rand.Read(b[:])
	return spec.Seed(binary.LittleEndian.Uint32(b[:])) | 1
}
