package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
)

// exists reports whether a program was built already.
func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// versionOf asks a program for its version, which the pattern's group matches in what it says.
func versionOf(ctx context.Context, pattern, program string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%s is not installed", program)
	} else if err != nil {
		return "", err
	}
	match := regexp.MustCompile(pattern).FindSubmatch(out)
	if match == nil {
		return "", fmt.Errorf("its version is not in what it says: %.100q", out)
	}
	return string(match[1]), nil
}
