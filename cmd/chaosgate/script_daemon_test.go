package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/chaosgate/chaos/client"
)

var serving = regexp.MustCompile(`"url":"([^"]+)"`)

func beginDaemon(ts *testscript.TestScript, _ bool, args []string) {
	log, err := os.Create(ts.MkAbs("daemon.log"))
	ts.Check(err)
	defer log.Close()
	program, err := exec.LookPath("chaosgate")
	ts.Check(err)
	cmd := exec.Command(program, append([]string{"serve", "--listen", "127.0.0.1:0", "--until-stdin-closes", "--log-format", "json"}, args...)...)
	cmd.Stderr, cmd.Env, cmd.Dir = log, []string{"GORACE=" + ts.Getenv("GORACE")}, ts.MkAbs(".")
	stdin, err := cmd.StdinPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		stdin.Close()
		cmd.Wait()
	})
	ts.Setenv("CHAOSGATE_DAEMON", string(waitFor(ts, "daemon.log", serving)[1]))
}

func atGate(ts *testscript.TestScript, _ bool, args []string) {
	daemon, err := client.New(ts.Getenv("CHAOSGATE_DAEMON"), client.Options{Token: ts.Getenv("CHAOSGATE_TOKEN")})
	ts.Check(err)
	defer daemon.Close()
	gates, err := daemon.Gates(context.Background())
	ts.Check(err)
	for _, g := range gates {
		if g.Name == args[0] {
			ts.Setenv("GATE", g.Listen)
			return
		}
	}
	ts.Fatalf("the daemon has no gate %s", args[0])
}

func stay(ts *testscript.TestScript, _ bool, lines []string) {
	network := ts.Getenv("NETWORK")
	conn, err := net.DialTimeout(network, ts.Getenv("GATE"), patience)
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	ts.Check(exchangeOn(conn, network, lines, false))
	ts.Check(conn.SetDeadline(time.Time{}))
	stage := ts.Value(stageKey{}).(*scriptStage)
	stage.staying = append(stage.staying, conn)
}

func leave(ts *testscript.TestScript, _ bool, _ []string) {
	stage := ts.Value(stageKey{}).(*scriptStage)
	ts.Check(stage.staying[0].Close())
	stage.staying = stage.staying[1:]
}
