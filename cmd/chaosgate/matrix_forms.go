package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/chaosgate/chaos/matrix"
)

// A reportForm is one in which a report can be written.
type reportForm struct {
	ending string // of the file's name
	name   string
	write  func(*matrix.Report, io.Writer) error
}

// reportForms are all forms, the first of several with one ending.
var reportForms = []reportForm{
	{".html", "a page", (*matrix.Report).WriteHTML},
	{".xml", "JUnit", (*matrix.Report).WriteJUnit},
	{".json", "the record", (*matrix.Report).WriteJSON},
	{".md", "Markdown", (*matrix.Report).WriteMarkdown},
}

// formNames tells the endings and what they mean.
func formNames() string {
	var all []string
	for _, f := range reportForms {
		all = append(all, f.ending+" ("+f.name+")")
	}
	return strings.Join(all, ", ")
}

// formOf returns the form that a file's name asks for.
func formOf(file string) (reportForm, error) {
	for _, f := range reportForms {
		if strings.EqualFold(filepath.Ext(file), f.ending) {
			return f, nil
		}
	}
	return reportForm{}, fmt.Errorf("got %q, want a name that ends in one of %s", file, formNames())
}

// writeReports writes a report to files, and says where.
func writeReports(report *matrix.Report, files []string, stderr io.Writer) error {
	for _, file := range files {
		form, err := formOf(file)
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
