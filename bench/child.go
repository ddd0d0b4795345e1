package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// roleVar is the variable of the environment that makes this program, or its test, a child with a role.
const roleVar = "CHAOS_BENCH_ROLE"

// roles are what a child can be. It first prints its address, then answers each line that it is asked by one line, and ends
// when there is nothing more to read.
var roles = map[string]func(args []string) (addr string, answer func(question string) string, end func(), err error){
	"echo":   serverRole(echo),
	"source": serverRole(source),
	"stall":  serverRole(stall),
	"sink":   sinkRole,
	"gate":   gateRole,
}

// beChild does what a child is there for, and reports whether this process is one.
func beChild() bool {
	role := os.Getenv(roleVar)
	if role == "" {
		return false
	}
	addr, answer, end, err := roles[role](os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %s: %v\n", role, err)
		os.Exit(3)
	}
	fmt.Println(addr)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(answer(lines.Text()))
	}
	if end != nil {
		end()
	}
	return true
}

// A child is a process of this program that has a role.
type child struct {
	addr   string
	pid    int
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

// startChild starts a child with a role.
func startChild(ctx context.Context, role string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.CommandContext(ctx, self, args...)}
	c.cmd.Env = append(os.Environ(), roleVar+"="+role)
	c.cmd.Stderr = os.Stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.pid, c.stdout = c.cmd.Process.Pid, bufio.NewReader(out)
	if c.addr, err = c.line(); err != nil {
		c.stop()
		return nil, fmt.Errorf("starting a child as %s: %w", role, err)
	}
	return c, nil
}

// ask asks the child something and returns its answer.
func (c *child) ask(question string) (string, error) {
	if _, err := fmt.Fprintln(c.stdin, question); err != nil {
		return "", err
	}
	answer, err := c.line()
	if err != nil {
		return "", fmt.Errorf("asking for %q: %w", question, err)
	}
	if text, failed := strings.CutPrefix(answer, "error: "); failed {
		return "", fmt.Errorf("asking for %q: %s", question, text)
	}
	return answer, nil
}

func (c *child) line() (string, error) {
	text, err := c.stdout.ReadString('\n')
	return strings.TrimSuffix(text, "\n"), err
}

// stop ends the child.
func (c *child) stop() {
	c.stdin.Close()
	endProcess(c.cmd)
}

// patience is how long a process may take to begin or to end.
const patience = 5 * time.Second

// endProcess waits until a process has ended, and kills it if it takes too long.
func endProcess(cmd *exec.Cmd) {
	late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer late.Stop()
	cmd.Wait()
}

// startProcess starts another's program, which is to listen at an address, and returns what ends it.
func startProcess(ctx context.Context, addr string, cmd *exec.Cmd) (*running, error) {
	var said tail
	cmd.Stderr = &said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // of which it can tell its own children
	cmd.WaitDelay = 100 * time.Millisecond                                   // its children may hold its standard error open
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{}) // closed when the process has ended
	go func() {
		cmd.Wait()
		close(ended)
	}()
	stop := func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			cmd.Process.Kill()
			<-ended
		}
	}
	if err := awaitListener(ctx, addr, ended); err != nil {
		stop()
		return nil, fmt.Errorf("%w; it said: %s", err, said.text())
	}
	return &running{addr: addr, pid: cmd.Process.Pid, stop: stop}, nil
}
