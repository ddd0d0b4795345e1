package matrix

import "slices"

// A grid has a report's cells in rows, one for each condition, and columns, one for each direction at each moment.
type grid struct {
	columns []column
	rows    []gridRow
}

// A column of a grid.
type column struct {
	moment    Moment
	direction Direction
}

// A gridRow has a cell for each column, or nil where there is none.
type gridRow struct {
	condition ConditionInfo
	cells     []*Cell
}

// grid returns the cells in rows and columns. Columns in which nothing stands are left out.
func (r *Report) grid() grid {
	var g grid
	// A report of another release may have directions and moments that this one does not know: they come last.
	moments, directions := slices.Clone(Moments), slices.Clone(Directions)
	used := map[column]bool{}
	for i := range r.Cells {
		c := &r.Cells[i]
		used[column{c.Moment, c.Direction}] = true
		if !slices.Contains(moments, c.Moment) {
			moments = append(moments, c.Moment)
		}
		if !slices.Contains(directions, c.Direction) {
			directions = append(directions, c.Direction)
		}
	}
	for _, m := range moments {
		for _, d := range directions {
			if used[column{m, d}] {
				g.columns = append(g.columns, column{m, d})
			}
		}
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		at := slices.IndexFunc(g.rows, func(row gridRow) bool { return row.condition.Name == c.Condition && row.condition.Group == c.Group })
		if at < 0 {
			at = len(g.rows)
			g.rows = append(g.rows, gridRow{r.conditionOf(c), make([]*Cell, len(g.columns))})
		}
		if place := &g.rows[at].cells[slices.Index(g.columns, column{c.Moment, c.Direction})]; *place == nil {
			*place = c
		}
	}
	return g
}

// conditionOf returns what there is to know of a cell's condition.
func (r *Report) conditionOf(c *Cell) ConditionInfo {
	for _, info := range r.Conditions {
		if info.Name == c.Condition {
			info.Group = c.Group
			return info
		}
	}
	return ConditionInfo{Name: c.Condition, Group: c.Group, Text: c.Imposed}
}
