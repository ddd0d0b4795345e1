package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/sweep"
)

// A reportForm is one in which a report can be written.
type reportForm[R any] struct {
	ending string // of the file's name
	name   string
	write  func(R, io.Writer) error
}

// matrixForms are the forms of a matrix's report, the first of several with one ending.
var matrixForms = []reportForm[*matrix.Report]{
	{".html", "a page", (*matrix.Report).WriteHTML},
	{".xml", "JUnit", (*matrix.Report).WriteJUnit},
	{".json", "the record", (*matrix.Report).WriteJSON},
	{".md", "Markdown", (*matrix.Report).WriteMarkdown},
}

// sweepForms are those of a sweep's.
var sweepForms = []reportForm[*sweep.Report]{
	{".html", "a page", (*sweep.Report).WriteHTML},
	{".xml", "JUnit", (*sweep.Report).WriteJUnit},
	{".json", "the record", (*sweep.Report).WriteJSON},
	{".md", "Markdown", (*sweep.Report).WriteMarkdown},
}

// formNames tells the endings and what they mean.
func formNames[R any](forms []reportForm[R]) string {
	var all []string
	for _, f := range forms {
		all = append(all, f.ending+" ("+f.name+")")
	}
	return strings.Join(all, ", ")
}

// formOf returns the form that a file's name asks for.
func formOf[R any](forms []reportForm[R], file string) (reportForm[R], error) {
	for _, f := range forms {
		if strings.EqualFold(filepath.Ext(file), f.ending) {
			return f, nil
		}
	}
	return reportForm[R]{}, fmt.Errorf("got %q, want a name that ends in one of %s", file, formNames(forms))
}

// writeReports writes a report to files, and says where.
func writeReports[R any](forms []reportForm[R], report R, files []string, stderr io.Writer) error {
	for _, file := range files {
		form, err := formOf(forms, file)
		if err != nil {
			return usage(err)
		}
		var b bytes.Buffer
		if err := form.write(report, &b); err != nil {
			return fmt.Errorf("report %s: %w", file, err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		fmt.Fprintf(stderr, "chaosgate: wrote %s\n", file)
	}
	return nil
}
