package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"
)

// patience is how long a script waits for what should happen at once.
const patience = 20 * time.Second

// TestScripts runs the transcripts in testdata/script. Beside testscript's own commands they have
//
//	echoserver [udp]         starts a server that sends each line back, and closes after "bye"; sets $SERVER
//	[!] ask LINE...          connects to $GATE, sends each line and expects it back; ! if that must fail
//	gate ARG...              starts the program and waits until it listens; sets $GATE
//	until PATTERN            waits until the program has written that
//	interrupt SIGNAL CODE    ends the program by INT or TERM, or by INT,TERM at once; what it wrote is then in out and err
//	daemon ARG...            starts a daemon and waits until it listens; sets $CHAOSGATE_DAEMON, by which the other commands find it
//	at NAME                  sets $GATE to where a gate of the daemon's listens
//	stay LINE...             as ask, but the connection stays open until the script ends, or leave closes the oldest of them
//	leave                    closes the oldest connection that stay has opened
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Values[stageKey{}] = &scriptStage{}
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a program that is built with -race would sleep for a second at its end
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"echoserver": echoServer,
			"ask":        ask,
			"gate":       startGate,
			"until":      until,
			"interrupt":  interrupt,
			"daemon":     beginDaemon,
			"at":         atGate,
			"stay":       stay,
			"leave":      leave,
		},
	})
}

type stageKey struct{}

// A scriptStage is what one script has under way.
type scriptStage struct {
	program *exec.Cmd
	staying []net.Conn // that stay has opened and leave has not closed
}

func echoServer(ts *testscript.TestScript, _ bool, networks []string) {
	ts.Setenv("NETWORK", "tcp")
	if len(networks) > 0 {
		ts.Setenv("NETWORK", networks[0])
		conn, err := net.ListenPacket(networks[0], "127.0.0.1:0")
		ts.Check(err)
		ts.Defer(func() { conn.Close() })
		ts.Setenv("SERVER", conn.LocalAddr().String())
		go echoPackets(conn)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	ts.Setenv("SERVER", listener.Addr().String())
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
}

func echoPackets(conn net.PacketConn) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		conn.WriteTo(buf[:n], from)
	}
}

func echo(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() && lines.Text() != "bye" {
		fmt.Fprintln(conn, lines.Text())
	}
}

func ask(ts *testscript.TestScript, neg bool, lines []string) {
	err := exchangeLines(ts.Getenv("NETWORK"), ts.Getenv("GATE"), lines, neg)
	if neg == (err == nil) {
		ts.Fatalf("ask %q: got error %v, want error: %v", lines, err, neg)
	}
}

// exchangeLines sends each line to an echo server and expects it back.
func exchangeLines(network, addr string, lines []string, fails bool) error {
	conn, err := net.Dial(network, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	return exchangeOn(conn, network, lines, fails)
}

// exchangeOn does so on a connection that there is.
func exchangeOn(conn net.Conn, network string, lines []string, fails bool) error {
	wait := patience
	if network == "udp" && fails { // what is lost is lost in silence
		wait = time.Second / 2
	}
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	back := bufio.NewReader(conn)
	for _, line := range lines {
		if _, err := fmt.Fprintln(conn, line); err != nil {
			return err
		}
		got, err := back.ReadString('\n')
		if err != nil {
			return err
		}
		if got = strings.TrimSuffix(got, "\n"); got != line {
			return fmt.Errorf("got %q, want %q", got, line)
		}
	}
	return nil
}

var listening = regexp.MustCompile(`listening on (\S+) |"type":"started","addr":"([^"]+)"`)

func startGate(ts *testscript.TestScript, _ bool, args []string) {
	out, err := os.Create(ts.MkAbs("out"))
	ts.Check(err)
	defer out.Close()
	errs, err := os.Create(ts.MkAbs("err"))
	ts.Check(err)
	defer errs.Close()
	program, err := exec.LookPath("chaosgate")
	ts.Check(err)
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.Env = []string{"GORACE=" + ts.Getenv("GORACE")}
	newRun().Flags().VisitAll(func(f *pflag.Flag) { // of the environment what the script has set, and nothing else
		cmd.Env = append(cmd.Env, variable(f.Name)+"="+ts.Getenv(variable(f.Name)))
	})
	ts.Check(cmd.Start())
	ts.Value(stageKey{}).(*scriptStage).program = cmd
	ts.Defer(func() { cmd.Process.Kill() })
	match := waitFor(ts, "out", listening)
	ts.Setenv("GATE", string(append(match[1], match[2]...)))
}

func until(ts *testscript.TestScript, _ bool, args []string) {
	waitFor(ts, "out", regexp.MustCompile(args[0]))
}

// waitFor waits until a program has written something into a file.
func waitFor(ts *testscript.TestScript, file string, pattern *regexp.Regexp) [][]byte {
	for begin := time.Now(); time.Since(begin) < patience; {
		text, err := os.ReadFile(ts.MkAbs(file))
		ts.Check(err)
		if match := pattern.FindSubmatch(text); match != nil {
			return match
		}
		time.Sleep(5 * time.Millisecond) // a file tells nobody that it has grown
	}
	for _, name := range []string{"out", "err", "daemon.log"} {
		text, _ := os.ReadFile(ts.MkAbs(name))
		ts.Logf("%s: %s", name, bytes.TrimSpace(text))
	}
	ts.Fatalf("the program has not written %q", pattern)
	return nil
}

func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	program := ts.Value(stageKey{}).(*scriptStage).program
	for name := range strings.SplitSeq(args[0], ",") {
		ts.Check(program.Process.Signal(map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}[name]))
	}
	err := program.Wait()
	code, exit := 0, (*exec.ExitError)(nil)
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[1] {
		ts.Fatalf("exit code: got %d, want %s", code, args[1])
	}
}
