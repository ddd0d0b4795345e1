package matrix_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/chaosgate/chaos/internal/reportsample"
	"github.com/chaosgate/chaos/matrix"
)

// FuzzForms writes whatever can be read as a report, in all forms.
func FuzzForms(f *testing.F) {
	small := reportsample.Many(1)
	small.Conditions, small.Cells[0].Timeline.Points = small.Conditions[:1], small.Cells[0].Timeline.Points[:2]
	for _, r := range []*matrix.Report{small, reportsample.Interrupted()} {
		var b bytes.Buffer
		if err := r.WriteJSON(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"version": 1, "cells": [{"attempts": [{"took_ms": -1}], "recovery": {}, "timeline": {"until_ms": 9e15}}, {}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := matrix.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var junit bytes.Buffer
		for name, write := range map[string]func(io.Writer) error{
			"JSON": r.WriteJSON, "HTML": r.WriteHTML, "Markdown": r.WriteMarkdown,
			"text":  func(w io.Writer) error { return r.WriteText(w, matrix.Terminal{}) },
			"JUnit": func(w io.Writer) error { return r.WriteJUnit(io.MultiWriter(w, &junit)) },
		} {
			if err := write(io.Discard); err != nil && name != "JSON" { // a moment may be one that JSON cannot say
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, wrong := range againstJUnit(junit.String()) {
			t.Error(wrong)
		}
	})
}
