package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Expectations are the verdicts that a run is compared with, so that a build fails on a change and not on imperfection.
type Expectations struct {
	Version int                `json:"version"`
	Subject string             `json:"subject"` // its name, or else its probe: of another subject they are refused
	Cells   map[string]Verdict `json:"cells"`

	File string `json:"-"` // where they are from, for the record
}

// ExpectationsOf returns what a run has shown, to be expected of the next. Cells that were skipped are left out. What was
// expected of cells that the run did not try stays.
func ExpectationsOf(r *Report, before *Expectations) *Expectations {
	e := &Expectations{Version: Version, Subject: r.Subject.called(), Cells: map[string]Verdict{}}
	if before != nil && before.Subject == e.Subject {
		maps.Copy(e.Cells, before.Cells)
		e.File = before.File
	}
	for _, c := range r.Cells {
		if c.Verdict != Skipped {
			e.Cells[c.ID] = c.Verdict
		}
	}
	return e
}

// called returns by what a subject is known from others.
func (s Subject) called() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Probe
}

// ReadExpectations reads expectations and refuses what are none.
func ReadExpectations(in io.Reader) (*Expectations, error) {
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	var e Expectations
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&e); err != nil {
		return nil, fmt.Errorf("no expectations: %w", err)
	}
	switch {
	case e.Version != Version:
		return nil, fmt.Errorf("version: got %d, want %d", e.Version, Version)
	case len(e.Cells) == 0:
		return nil, errors.New("cells: got none, want what is expected of them")
	}
	for _, id := range slices.Sorted(maps.Keys(e.Cells)) {
		if _, _, _, err := SplitID(id); err != nil {
			return nil, err
		}
		if v := e.Cells[id]; !slices.Contains(Verdicts, v) {
			return nil, fmt.Errorf("cell %s: got verdict %q, want one of %v", id, v, Verdicts)
		}
	}
	return &e, nil
}

// Write writes the expectations, the cells sorted, so that a change of one is a line of a diff.
func (e *Expectations) Write(w io.Writer) error {
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// verdict returns what is expected of a cell, if something is.
func (e *Expectations) verdict(id string) (Verdict, bool) {
	if e == nil {
		return "", false
	}
	v, ok := e.Cells[id]
	return v, ok
}

// fits says why the expectations are not about a run, if so.
func (e *Expectations) fits(r *Run) error {
	if e == nil {
		return nil
	}
	if subject := r.Subject.called(); e.Subject != subject {
		return fmt.Errorf("expect: got the expectations of %q, and this is %q", e.Subject, subject)
	}
	cells, _, err := r.plan(true)
	if err != nil {
		return err
	}
	for _, c := range cells {
		if _, ok := e.Cells[c.id]; ok {
			return nil
		}
	}
	return fmt.Errorf("expect: got the expectations of another run: none of its %d cells is to be tried", len(e.Cells))
}

// compare returns what is not as it was expected.
func (e *Expectations) compare(report *Report, r *Run) *Comparison {
	if e == nil {
		return nil
	}
	cmp := &Comparison{File: e.File, Changed: []Difference{}, Missing: []string{}, New: []string{}}
	seen := map[string]bool{}
	for _, c := range report.Cells {
		seen[c.ID] = true
		want, ok := e.Cells[c.ID]
		switch {
		case !ok:
			cmp.New = append(cmp.New, c.ID)
			continue
		case want != c.Verdict:
			cmp.Changed = append(cmp.Changed, Difference{ID: c.ID, Want: want, Got: c.Verdict})
		}
		cmp.Cells++
	}
	if r.Cell != "" || r.Quick || len(r.Only) > 0 || report.Interrupted {
		return cmp // the others were not asked for
	}
	for _, id := range slices.Sorted(maps.Keys(e.Cells)) {
		if !seen[id] {
			cmp.Missing = append(cmp.Missing, id)
		}
	}
	return cmp
}
