package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// chaosgate is a gate as a program.
var chaosgate = contender{
	name:  "chaosgate",
	about: "`chaosgate run`, built from this tree; its log goes to /dev/null",
	can:   func(fault) bool { return true },
	gate:  true,
	find: func(ctx context.Context, s site) (string, error) {
		bin, err := filepath.Abs(filepath.Join(s.dir, "chaosgate"))
		if err != nil {
			return "", err
		}
		if exists(bin) {
			return revision(ctx, s.tree), nil
		}
		build := exec.CommandContext(ctx, "go", "build", "-o", bin, ".")
		build.Dir = filepath.Join(s.tree, "cmd", "chaosgate")
		build.Env = append(os.Environ(), "GOWORK=off")
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building it: %w: %s", err, out)
		}
		return revision(ctx, s.tree), nil
	},
	start: func(ctx context.Context, s site) (*running, error) {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		args := []string{"run", addr + "," + s.server}
		if s.fault.text != "" {
			args = append(args, "--"+strings.ReplaceAll(s.fault.way.String(), "_", "-"), s.fault.text)
		}
		return startProcess(ctx, addr, exec.CommandContext(ctx, filepath.Join(s.dir, "chaosgate"), args...))
	},
}

// revision names the commit of a working tree.
func revision(ctx context.Context, tree string) string {
	out, err := exec.CommandContext(ctx, "git", "-C", tree, "-c", "safe.directory=*", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "of an unknown commit"
	}
	return "commit " + strings.TrimSpace(string(out))
}
