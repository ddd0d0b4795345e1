package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

// readExpectations reads what is expected. A file that is to be written anew need not be there, nor fit.
func (f *matrixFlags) readExpectations(run *matrix.Run) error {
	switch {
	case f.update && f.expect == "":
		return errors.New("--update: want --expect FILE, which it writes")
	case f.expect == "":
		return nil
	}
	text, err := os.ReadFile(f.expect)
	if errors.Is(err, os.ErrNotExist) && f.update {
		return nil
	}
	if err == nil {
		f.expectations, err = matrix.ReadExpectations(bytes.NewReader(text))
	}
	if err != nil {
		return fmt.Errorf("--expect: %w", inFile(f.expect, err))
	}
	f.expectations.File = filepath.Base(f.expect)
	if !f.update {
		run.Expect = f.expectations
	}
	return nil
}

// rewrite writes the verdicts to the file of what is expected. Cells that were not tried stay, if it was about the same subject and only some
// were to be tried.
func (f *matrixFlags) rewrite(report *matrix.Report) error {
	before := f.expectations
	if c := report.Choice; c.Cell == "" && !c.Quick && len(c.Only) == 0 {
		before = nil
	}
	var b bytes.Buffer
	if err := matrix.ExpectationsOf(report, before).Write(&b); err != nil {
		return err
	}
	return os.WriteFile(f.expect, b.Bytes(), 0o644)
}

// repeat returns the command that repeats a cell, or all of the run if that is empty.
func (f *matrixFlags) repeat(program, cell string, seed spec.Seed) string {
	words := f.subjectWords([]string{program, "matrix"})
	flag := func(name, value string) {
		if value != "" {
			words = append(words, "--"+name, quoted(value))
		}
	}
	flag("conditions", f.conditions)
	if cell == "" {
		if f.quick {
			words = append(words, "--quick")
		}
		for _, pattern := range f.only {
			flag("only", pattern)
		}
		cell = f.cell
	}
	flag("cell", cell)
	flag("seed", seed.String())
	return strings.Join(words, " ")
}

// subjectWords adds to a command line the flags that say what is tried, and what is long.
func (f *matrixFlags) subjectWords(words []string) []string {
	flag := func(name, value string) {
		if value != "" {
			words = append(words, "--"+name, quoted(value))
		}
	}
	flag("server", f.server)
	flag("gate", f.gate)
	flag("probe", f.command)
	flag("probe-url", f.url)
	flag("probe-script", f.script)
	flag("name", f.name)
	for _, length := range []struct {
		name  string
		value time.Duration
	}{{"slow", f.slow}, {"deadline", f.deadline}, {"patience", f.patience}} {
		if length.value > 0 {
			flag(length.name, length.value.String())
		}
	}
	return words
}

// quoted returns a word as a shell reads it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:,=@%+", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
