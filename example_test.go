package chaos_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/chaosgate/chaos"
)

// echoServer starts a server that sends back what it gets.
func echoServer() net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return ln
}

// throughGate starts an echo server with a gate before it, and connects a client.
func throughGate() (gate *chaos.Gate, client net.Conn, end func()) {
	server := echoServer()
	gate = &chaos.Gate{Server: server.Addr().String(), Seed: 1}
	if err := gate.Start(); err != nil {
		log.Fatal(err)
	}
	client, err := net.Dial("tcp", gate.Addr())
	if err != nil {
		log.Fatal(err)
	}
	if err := gate.WaitConns(context.Background(), 1); err != nil {
		log.Fatal(err)
	}
	return gate, client, func() {
		client.Close()
		gate.Close()
		server.Close()
	}
}

// ask sends a line and returns the answer.
func ask(client net.Conn, line string) string { return askFor(client, line, 10*time.Second) }

// askInVain sends a line and waits a little for an answer.
func askInVain(client net.Conn, line string) string { return askFor(client, line, 30*time.Millisecond) }

func askFor(client net.Conn, line string, patience time.Duration) string {
	fmt.Fprintln(client, line)
	client.SetReadDeadline(time.Now().Add(patience))
	answer, err := bufio.NewReader(client).ReadString('\n')
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer"
	case err != nil:
		return err.Error()
	}
	return answer[:len(answer)-1]
}

func Example() {
	server := echoServer()
	defer server.Close()

	gate := &chaos.Gate{Server: server.Addr().String()}
	if err := gate.Start(); err != nil {
		log.Fatal(err)
	}
	defer gate.Close()
	client, err := net.Dial("tcp", gate.Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	fmt.Println(ask(client, "hello"))
	stalled := gate.ToClient.Add(chaos.Stall{})
	fmt.Println(askInVain(client, "is anybody there?"))
	fmt.Println("fired:", stalled.Hits() > 0)
	stalled.Lift()
	fmt.Println(ask(client, ""))
	// Output:
	// hello
	// no answer
	// fired: true
	// is anybody there?
}

func ExampleGate_Conns() {
	gate, client, end := throughGate()
	defer end()
	fmt.Println(ask(client, "hello"))
	for _, conn := range gate.Conns() {
		info := conn.Info()
		fmt.Println(info.Ordinal, info.State, info.Client == client.LocalAddr().String())
	}
	// Output:
	// hello
	// 1 established true
}

func ExampleGate_CloseConns() {
	gate, client, end := throughGate()
	defer end()
	fmt.Println(gate.CloseConns(chaos.All), "closed,", len(gate.Conns()), "left")
	fmt.Println(ask(client, "hello"))
	// Output:
	// 1 closed, 0 left
	// EOF
}

func ExampleGate_WaitConns() {
	gate, _, end := throughGate()
	defer end()
	go func() {
		if conn, err := net.Dial("tcp", gate.Addr()); err == nil {
			defer conn.Close()
			conn.Read(make([]byte, 1)) // until the gate ends it
		}
	}()
	err := gate.WaitConns(context.Background(), 2)
	fmt.Println(len(gate.Conns()), err)
	// Output: 2 <nil>
}

func ExampleGate_SetDoor() {
	gate, client, end := throughGate()
	defer end()
	if err := gate.SetDoor(chaos.Refuse); err != nil {
		log.Fatal(err)
	}
	_, err := net.Dial("tcp", gate.Addr())
	fmt.Println("a new connection is refused:", err != nil)
	fmt.Println("a live one goes on:", ask(client, "hello"))

	// A door that holds lets clients connect, and wait.
	if err := gate.SetDoor(chaos.Hold); err != nil {
		log.Fatal(err)
	}
	waiting, err := net.Dial("tcp", gate.Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer waiting.Close()
	fmt.Println("held:", askInVain(waiting, "hello?"))
	if err := gate.SetDoor(chaos.Open); err != nil {
		log.Fatal(err)
	}
	waiting.SetReadDeadline(time.Time{})
	answer, err := bufio.NewReader(waiting).ReadString('\n')
	fmt.Printf("open: %q %v\n", answer, err)
	// Output:
	// a new connection is refused: true
	// a live one goes on: hello
	// held: no answer
	// open: "hello?\n" <nil>
}

func ExampleGate_Heal() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Stall{})
	gate.Conns()[0].ToClient.Add(chaos.Stall{})
	fmt.Println(askInVain(client, "hello"))
	if err := gate.Heal(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(ask(client, ""))
	// Output:
	// no answer
	// hello
}

func ExampleGate_Stats() {
	gate, client, end := throughGate()
	defer end()
	ask(client, "hello")
	stats := gate.Stats()
	fmt.Println(stats.Opened, stats.Live, stats.DialErrors)
	// Output: 1 1 0
}

func ExampleGate_Reseed() {
	gate, _, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Sometimes{Chance: 0.5, Fault: chaos.CloseOnData{}})
	hit := func() (hit string) {
		for range 10 {
			conn, err := net.Dial("tcp", gate.Addr())
			if err != nil {
				log.Fatal(err)
			}
			if ask(conn, "hello") == "hello" {
				hit += "."
			} else {
				hit += "x"
			}
			conn.Close()
		}
		return hit
	}
	gate.Reseed(7)
	first := hit()
	gate.Reseed(7)
	fmt.Println(first == hit())
	// Output: true
}

func ExampleFlow_Set() {
	gate, client, end := throughGate()
	defer end()
	// The first fault sees the bytes first.
	gate.ToServer.Set(
		chaos.Substitute{Pattern: "tea", With: "coffee"},
		chaos.Edit(bytes.ToUpper),
	)
	fmt.Println(ask(client, "some tea, please"))
	gate.ToServer.Set()
	fmt.Println(ask(client, "some tea, please"))
	// Output:
	// SOME COFFEE, PLEASE
	// some tea, please
}

func ExampleFlow_Add() {
	gate, client, end := throughGate()
	defer end()
	loud := gate.ToClient.Add(chaos.Edit(bytes.ToUpper))
	fmt.Println(ask(client, "hello"))
	loud.Lift()
	fmt.Println(ask(client, "hello"))
	// Output:
	// HELLO
	// hello
}

func ExampleImposed_Wait() {
	gate, client, end := throughGate()
	defer end()
	discarding := gate.ToServer.Add(chaos.Discard{})
	go fmt.Fprintln(client, "lost")

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(discarding.Wait(ctx, 1))
	hit, _ := discarding.LastHit()
	fmt.Println(hit.Conn, hit.Direction, hit.Offset, hit.Bytes)
	// Output:
	// <nil>
	// 1 to_server 0 5
}

func ExampleImposed_Change() {
	gate, client, end := throughGate()
	defer end()
	limit := gate.ToServer.Add(chaos.Limit{Bytes: 8})
	fmt.Println(ask(client, "hello"))
	limit.Change(chaos.Limit{Bytes: 14}) // it goes on counting
	fmt.Println(ask(client, "hello"))
	fmt.Println(ask(client, "hello"))
	// Output:
	// hello
	// hello
	// EOF
}

func ExampleImposed_Offsets() {
	gate, client, end := throughGate()
	defer end()
	ask(client, "hello")
	fmt.Println(gate.ToServer.Add(chaos.Corrupt{}).Offsets())
	// Output: [{1 6}]
}

func ExampleCheck() {
	fmt.Println(chaos.Check("tcp", chaos.Delay{By: time.Second}))
	err := chaos.Check("tcp", chaos.Delay{By: -time.Second})
	fmt.Println(err)
	var refused *chaos.FaultError
	if errors.As(err, &refused) {
		fmt.Println(refused.Kind, refused.Param, refused.Given)
	}
	// Output:
	// <nil>
	// delay: by: got -1s, want a duration of at least 0s
	// delay by -1s
}

func ExampleKindOf() {
	fmt.Println(chaos.KindOf(chaos.CloseOnData{}))
	fmt.Println(chaos.KindOf(chaos.FaultFunc(nil)))
	// Output:
	// close_on_data
	// chaos.FaultFunc
}

func ExampleFaultFunc() {
	gate, client, end := throughGate()
	defer end()
	// Every second byte of a stream is lost.
	gate.ToServer.Add(chaos.FaultFunc(func(st *chaos.Stage, next chaos.Sink) chaos.Sink {
		return func(s chaos.Segment) {
			kept := s.Data[:0]
			for i, b := range s.Data {
				if (st.Offset()+int64(i))%2 == 0 {
					kept = append(kept, b)
				} else {
					st.Hit(1)
				}
			}
			s.Data = kept
			next(s)
		}
	}))
	fmt.Println(ask(client, "s e c o n d "))
	// Output: second
}
