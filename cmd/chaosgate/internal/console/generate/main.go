package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(".")) }

// run writes the bundle into the console's folder and returns the exit code.
func run(folder string) int {
	made, err := bundle(folder)
	if err == nil {
		err = write(filepath.Join(folder, "dist"), made)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		return 3
	}
	return 0
}

// write makes a folder hold just these files.
func write(folder string, files map[string][]byte) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
