package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
	"github.com/chaosgate/chaos/status"
)

// One puts a gate before a server, slows its answers, sees that the fault has fired, and heals.
func Example() {
	daemonURL, server, stop := exampleDaemon() // elsewhere: chaosgate serve
	defer stop()
	ctx := context.Background()

	daemon, err := client.New(daemonURL, client.Options{By: "Example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer daemon.Close()
	gate, err := daemon.Create(ctx, spec.Gate{Name: "echo", Server: server})
	if err != nil {
		fmt.Println(err)
		return
	}

	answers := client.Where{Gate: "echo", Direction: chaos.ToClient}
	slow, err := daemon.Add(ctx, answers, spec.EntriesOf(chaos.Delay{By: 100 * time.Millisecond}))
	if err != nil {
		fmt.Println(err)
		return
	}
	begin := time.Now()
	fmt.Println(askEcho(gate.Listen, "hello"))
	fmt.Println("slow:", time.Since(begin) >= 100*time.Millisecond)

	fired, err := daemon.WaitHits(ctx, answers, slow[0].ID, 1)
	fmt.Println(fired.ID, fired.Text, fired.Hits > 0, err)

	healed, err := daemon.Heal(ctx, "")
	for _, f := range healed.Faults {
		fmt.Println("lifted", f.ID, "at", f.Gate, err)
	}

	// Output:
	// hello <nil>
	// slow: true
	// delay delay by=100ms true <nil>
	// lifted delay at echo <nil>
}

// Errors tell of what sort they are, and what is wrong.
func ExampleError() {
	daemonURL, _, stop := exampleDaemon()
	defer stop()
	daemon, err := client.New(daemonURL, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer daemon.Close()

	_, err = daemon.Gate(context.Background(), "ecko")
	fmt.Println(errors.Is(err, client.ErrUnknown))
	fmt.Println(err)

	// Output:
	// true
	// unknown gate "ecko"
}

// Events are what happens, in order.
func ExampleClient_Events() {
	daemonURL, server, stop := exampleDaemon()
	defer stop()
	daemon, err := client.New(daemonURL, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer daemon.Close()
	if _, err := daemon.Create(context.Background(), spec.Gate{Name: "echo", Server: server}); err != nil {
		fmt.Println(err)
		return
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for event, err := range daemon.Events(ctx, client.EventsQuery{Gate: "echo", Kept: true}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(event.ID, event.Type, event.Gate)
		if event.Type == status.EventCreated {
			break
		}
	}

	// Output:
	// 1 created echo
}

// askEcho sends a text to a server that sends it back.
func askEcho(addr, text string) (string, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	back := make([]byte, len(text))
	_, err = io.ReadFull(conn, back)
	return string(back), err
}
