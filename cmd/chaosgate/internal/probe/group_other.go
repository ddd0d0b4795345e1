//go:build !unix

package probe

import (
	"fmt"
	"os/exec"
)

// inGroup does nothing: where there are no process groups, a command is killed by itself.
func inGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }

// signalOf returns by what a command has died: Windows tells by an exit code such as 0xc0000005.
func signalOf(exit *exec.ExitError) string {
	if code := uint32(exit.ExitCode()); code >= 0xc0000000 {
		return fmt.Sprintf("exception %#x", code)
	}
	return ""
}
