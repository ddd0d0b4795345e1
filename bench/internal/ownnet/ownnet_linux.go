package ownnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Rerun runs this program again in a network of its own, with more in its environment, and returns its exit code. An error says that there
// can be no such network.
func Rerun(ctx context.Context, environment, args []string, stdout, stderr io.Writer) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = slices.Concat(os.Environ(), []string{variable + "=1"}, environment)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it then prints what it has
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return 3, nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// tcpSettings are Linux's own, each with what to take where that cannot be had. Machines have others: pacing by BBR above all,
// whose timers then are what is measured. But there are more ports, because a port can be used again only a second after
// its connection has ended: with as many as usual no more than 14,000 connections a second can be opened to one address.
var tcpSettings = []struct {
	name   string
	values []string
}{
	{"tcp_congestion_control", []string{"cubic", "reno"}}, // not every kernel lets a network of its own have cubic
	{"tcp_rmem", []string{"4096 131072 6291456"}},
	{"tcp_wmem", []string{"4096 16384 4194304"}},
	{"ip_local_port_range", []string{"1024 65535"}},
}

// SetUp makes loopback work in a network that is new, with TCP as Linux has it by default.
func SetUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	loopback, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	loopback.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, loopback); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	for _, setting := range tcpSettings {
		for _, value := range setting.values {
			if os.WriteFile(sysctl(setting.name), []byte(value), 0) == nil {
				break
			}
		}
	}
	return nil
}
