package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/chaosgate/chaos/matrix"
)

// mostAnnotations is how many annotations GitHub shows of a step.
const mostAnnotations = 10

// tellGitHub annotates the cells that have failed and adds a summary to the job's page, if this runs under GitHub Actions.
func tellGitHub(r *matrix.Report, variable func(string) string, log io.Writer) error {
	if variable("GITHUB_ACTIONS") != "true" {
		return nil
	}
	for i, c := range r.BadCells() {
		if i == mostAnnotations {
			break
		}
		fmt.Fprintf(log, "::error title=%s::%s\n", annotation(c.Verdict.Words()+" "+c.ID, true), annotation(c.Says+"\nagain: "+c.Repeat, false))
	}
	file := variable("GITHUB_STEP_SUMMARY")
	markdown, err := formOf(matrixForms, "summary.md")
	if file == "" || err != nil {
		return nil
	}
	var b bytes.Buffer
	if err := markdown.write(r, &b); err != nil {
		return fmt.Errorf("job summary: %w", err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("job summary: %w", err)
	}
	_, err = f.Write(b.Bytes())
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// annotation escapes what stands in a workflow command, whose properties end at a colon or a comma.
func annotation(s string, property bool) string {
	escape := []string{"%", "%25", "\r", "%0D", "\n", "%0A"}
	if property {
		escape = append(escape, ":", "%3A", ",", "%2C")
	}
	return strings.NewReplacer(escape...).Replace(s)
}
