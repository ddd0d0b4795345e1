package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chaosgate/chaos/matrix"
)

// mostOutput is how many bytes of each of a command's outputs are kept, and compared.
const mostOutput = 1 << 20

// Command returns a probe that runs a command: its exit code tells whether it has worked, and what it writes to stdout is its
// answer. The address of the gate is in the variables CHAOSGATE_HOST, CHAOSGATE_PORT and CHAOSGATE_ADDR, and a name of the attempt's own
// in CHAOSGATE_ATTEMPT; they may stand in the line. No shell reads it. When the time is over the command is killed, with all processes of its group; and what it has left running
// when it ends is killed as well.
func Command(line string) (matrix.Probe, error) {
	words, err := commandWords(line)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	return func(ctx context.Context, addr string) (matrix.Answer, error) {
		own := variables(addr)
		own["CHAOSGATE_ATTEMPT"] = matrix.AttemptID(ctx)
		return runCommand(ctx, words, own)
	}, nil
}

// Check returns what runs a command to see whether an attempt has done what is right: it must succeed. The name of the attempt is in the variable
// CHAOSGATE_ATTEMPT, and what came of it in CHAOSGATE_OUTCOME.
func Check(line string) (func(ctx context.Context, a matrix.Attempt) error, error) {
	words, err := commandWords(line)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, a matrix.Attempt) error {
		_, err := runCommand(ctx, words, map[string]string{"CHAOSGATE_ATTEMPT": a.ID, "CHAOSGATE_OUTCOME": string(a.Outcome)})
		return err
	}, nil
}

// commandWords returns the words of a command, which is there.
func commandWords(line string) ([]string, error) {
	words, err := split(line)
	if err == nil && !strings.Contains(words[0], "$") {
		_, err = exec.LookPath(words[0])
	}
	return words, err
}

// variables returns the variables in which an address is.
func variables(addr string) map[string]string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil { // the path of a unix socket
		host, port = addr, ""
	}
	return map[string]string{"CHAOSGATE_HOST": host, "CHAOSGATE_PORT": port, "CHAOSGATE_ADDR": addr}
}

func runCommand(ctx context.Context, words []string, own map[string]string) (matrix.Answer, error) {
	value := func(name string) string { return cmp.Or(own[name], os.Getenv(name)) }
	args := make([]string, len(words))
	for i, word := range words {
		args[i] = expand(word, value)
	}
	var stdout, stderr bounded
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = os.Environ()
	for name, value := range own {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	inGroup(cmd)
	killed := false
	cmd.Cancel = func() error {
		killed = true
		return killGroup(cmd)
	}
	cmd.WaitDelay = 500 * time.Millisecond // for a process that was not in the group and holds the outputs
	err := cmd.Run()
	if cmd.Process != nil {
		killGroup(cmd)
	}
	answer := matrix.Answer{Output: stdout.String(), Log: stderr.String()}
	if killed {
		return answer, fmt.Errorf("killed when the time was over: %w", context.Cause(ctx))
	}
	return answer, complaint(err, answer)
}

// goPanic is how a program of Go says that it has died, with exit code 2.
var goPanic = regexp.MustCompile(`(?m)^(panic: |fatal error: )[^\n]*(\n[^\n]*){1,4}\ngoroutine \d+ `)

// saysTimeout matches what programs say when they have given up waiting.
var saysTimeout = regexp.MustCompile(`(?i)time[ds]?[- ]?out|deadline exceeded|TimeoutError|ETIMEDOUT`)

// complaint returns what an ended command's error means.
func complaint(err error, answer matrix.Answer) error {
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	said := mainLine(cmp.Or(strings.TrimSpace(answer.Log), strings.TrimSpace(answer.Output)))
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	what := fmt.Errorf("exit code %d", exit.ExitCode())
	if signal := signalOf(exit); signal != "" {
		what = fmt.Errorf("%w: killed by %s", matrix.ErrCrash, signal)
	} else if died := goPanic.FindString(answer.Log); died != "" {
		first, _, _ := strings.Cut(died, "\n")
		return fmt.Errorf("%w: %s", matrix.ErrCrash, first)
	}
	if said != "" {
		what = fmt.Errorf("%w: %s", what, said)
	}
	// 28 is curl's and 124 timeout's exit code for a time that is over.
	if code := exit.ExitCode(); code == 124 || saysTimeout.MatchString(answer.Log) || code == 28 && strings.HasPrefix(said, "curl:") {
		return fmt.Errorf("%w (%w)", what, matrix.ErrTimeout)
	}
	return what
}

// saysError matches a line that tells what went wrong.
var saysError = regexp.MustCompile(`(?i)error|fail|fatal|refused|reset|closed|denied|cannot|could not|unable|time[ds]?[- ]?out|exception`)

// mainLine returns the line that tells what went wrong: the first that looks like that, but the last of a traceback; the last if none does.
func mainLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	main := lines[len(lines)-1]
	if !strings.HasPrefix(s, "Traceback ") {
		if i := slices.IndexFunc(lines, saysError.MatchString); i >= 0 {
			main = lines[i]
		}
	}
	return clip(strings.TrimSpace(main))
}

// clip cuts what is too long for a sentence.
func clip(s string) string {
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	strings.Builder
}

// Write keeps what there is room for, and takes the rest all the same.
func (b *bounded) Write(p []byte) (int, error) {
	b.Builder.Write(p[:min(len(p), mostOutput-b.Len())])
	return len(p), nil
}
