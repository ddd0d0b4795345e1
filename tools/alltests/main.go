package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], ".", os.Stdout, os.Stderr))
}

// run tests every module below root and returns the exit code.
func run(ctx context.Context, flags []string, root string, stdout, stderr io.Writer) int {
	modules, err := modulesBelow(root)
	if err == nil && len(modules) == 0 {
		err = fmt.Errorf("no go.mod below %s", root)
	}
	if err != nil {
		fmt.Fprintln(stderr, "alltests:", err)
		return 3
	}
	results := newResults(stdout)
	var failed []string
	for _, module := range modules {
		fmt.Fprintf(stdout, "== %s: go test %s ./...\n", module, strings.Join(flags, " "))
		err := testModule(ctx, module, flags, results, stderr)
		// go test exits 1 or 2 when something failed; the results say what.
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			failed = append(failed, module)
		case err != nil:
			fmt.Fprintf(stderr, "alltests: %s: %v\n", module, err)
			return 3
		}
	}
	results.summarize()
	if len(failed) > 0 {
		fmt.Fprintf(stdout, "FAILED in: %s\n", strings.Join(failed, " "))
		return 1
	}
	return 0
}

// modulesBelow finds the folders that hold a go.mod, root first.
func modulesBelow(root string) ([]string, error) {
	var modules []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return filepath.SkipDir
		case entry.Name() == "go.mod":
			modules = append(modules, filepath.Dir(path))
		}
		return nil
	})
	slices.Sort(modules)
	return modules, err
}

// testModule runs go test on one module as it stands alone, without go.work,
// because that is how it reaches those who use it.
func testModule(ctx context.Context, module string, flags []string, results *results, stderr io.Writer) error {
	args := append([]string{"test", "-json"}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./...")...)
	// An interrupt, not a kill: go test then ends the tests it has started.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = stderr
	stream, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := results.read(stream)
	if readErr != nil {
		// What is left must be taken, or go test would wait for a reader forever.
		_, _ = io.Copy(io.Discard, stream)
	}
	return errors.Join(cmd.Wait(), readErr)
}
