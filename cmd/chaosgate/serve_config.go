package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/config"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/status"
)

// byConfig is who asks for what the config file says, and to whom its gates belong.
const byConfig = "config"

// firstConfig has the gates in the config file be there, if there is one.
func (d *daemon) firstConfig() error {
	if d.config == "" {
		return nil
	}
	file, err := d.readConfig()
	if err != nil {
		return usage(err)
	}
	for _, g := range file.Gates {
		for _, flag := range d.gates {
			if g.Name == flag.Name {
				return usage(fmt.Errorf("--gate: got %s, which is in %s too", g.Name, d.config))
			}
		}
	}
	diff, err := d.apply(file)
	if err != nil {
		return refused(err)
	}
	d.logDiff(diff)
	return nil
}

// readConfig reads the config file.
func (d *daemon) readConfig() (*config.File, error) {
	f, err := os.Open(d.config)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	data, err := config.Bytes(f)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	d.read = data
	return config.Read(d.config, data)
}

// apply has the gates be what the file says, or leaves all as it is.
func (d *daemon) apply(file *config.File) (status.Diff, error) {
	diff, err := d.hub.Apply(byConfig, file.Gates, hub.Owned(byConfig))
	if where, ok := errors.AsType[*hub.Error](err); ok && where.Path != "state" {
		return diff, file.At(where.Path, err)
	}
	return diff, err
}

// reload reads the config file again. If anything is wrong with it all stays as it is. Where nobody has asked for it, a file that has not
// changed is left alone: what others have imposed on its gates stays.
func (d *daemon) reload(asked bool) {
	if d.config == "" {
		d.log.Warn("nothing to read again: there is no --config")
		return
	}
	was := d.read
	file, err := d.readConfig()
	if !asked && err == nil && bytes.Equal(was, d.read) {
		return
	}
	var diff status.Diff
	if err == nil {
		diff, err = d.apply(file)
	}
	if err == nil {
		d.logDiff(diff)
		return
	}
	attrs := []any{"error", err}
	if where, ok := errors.AsType[*config.Error](err); ok && where.Source() != "" {
		attrs = append(attrs, "source", where.Source())
	}
	d.log.Error("config not applied: all stays as it is", attrs...)
}

// logDiff logs what the config file has changed.
func (d *daemon) logDiff(diff status.Diff) {
	attrs := []any{"file", d.config}
	for _, part := range []struct {
		name  string
		gates []string
	}{{"created", diff.Created}, {"changed", diff.Changed}, {"replaced", diff.Replaced}, {"removed", diff.Removed}} {
		if len(part.gates) > 0 {
			attrs = append(attrs, part.name, part.gates)
		}
	}
	d.log.Info("config applied", append(attrs, "unchanged", len(diff.Unchanged))...)
}

// watch begins to watch the config file. Without one, and where it cannot be watched, the watch never tells anything.
func (d *daemon) watch() *config.Watch {
	if d.config == "" {
		return nil
	}
	w, err := config.NewWatch(d.config)
	if err != nil {
		d.log.Warn("the config file is not watched; SIGHUP has it read again", "error", err)
	}
	return w
}
