package chaos_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
)

// throughDatagramGate starts a server that sends each datagram back, with a gate before it, and a client's socket.
func throughDatagramGate() (gate *chaos.Gate, client net.Conn, end func()) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			server.WriteTo(buf[:n], from)
		}
	}()
	gate = &chaos.Gate{Network: "udp", Server: server.LocalAddr().String(), Seed: 1}
	if err := gate.Start(); err != nil {
		log.Fatal(err)
	}
	client, err = net.Dial("udp", gate.Addr())
	if err != nil {
		log.Fatal(err)
	}
	return gate, client, func() {
		client.Close()
		gate.Close()
		server.Close()
	}
}

// receive returns the next datagram.
func receive(client net.Conn) string {
	client.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 1<<16)
	n, err := client.Read(buf)
	if err != nil {
		return err.Error()
	}
	return string(buf[:n])
}

func ExampleDelay() {
	gate, client, end := throughGate()
	defer end()
	gate.ToClient.Set(chaos.Delay{By: 20 * time.Millisecond, Jitter: 5 * time.Millisecond})
	start := time.Now()
	fmt.Println(ask(client, "hello"))
	fmt.Println(time.Since(start) >= 15*time.Millisecond)
	// Output:
	// hello
	// true
}

func ExampleBandwidth() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Bandwidth{Rate: 1 << 20, Burst: 1024}) // 1 MiB a second
	start := time.Now()
	client.Write(make([]byte, 50<<10))
	io.ReadFull(client, make([]byte, 50<<10))
	fmt.Println(time.Since(start) >= 45*time.Millisecond)
	// Output: true
}

func ExampleBandwidth_datagrams() {
	gate, client, end := throughDatagramGate()
	defer end()
	slow := gate.ToServer.Add(chaos.Bandwidth{Rate: 100, Queue: 2000})
	for range 10 {
		client.Write(make([]byte, 1000))
	}
	slow.Wait(context.Background(), 10) // they have all come
	fmt.Println(gate.Stats().Lost)      // three are under way: the others found more than 2000 bytes waiting
	// Output: 7
}

func ExampleSlice() {
	gate, client, end := throughGate()
	defer end()
	sliced := gate.ToServer.Add(chaos.Slice{Size: 2})
	fmt.Println(ask(client, "hello"), sliced.Hits()) // he|ll|o\n
	// Output: hello 2
}

func ExampleConcat() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Concat{Size: 10})
	fmt.Println(askInVain(client, "hello"))
	fmt.Println(ask(client, "all at once"))
	// Output:
	// no answer
	// hello
}

func ExampleCorrupt() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Corrupt{Rate: 0.5})
	sent, got := bytes.Repeat([]byte("0123456789"), 100), make([]byte, 1000)
	client.Write(sent)
	io.ReadFull(client, got)
	changed := 0
	for i := range got {
		if got[i] != sent[i] {
			changed++
		}
	}
	fmt.Println(changed > 400, changed < 600, gate.ToServer.Imposed()[0].Hits() == int64(changed))
	// Output: true true true
}

func ExampleSubstitute() {
	gate, client, end := throughGate()
	defer end()
	gate.ToClient.Set(chaos.Substitute{Pattern: `"ok": *(true)`, With: `"ok":"not $1"`})
	fmt.Println(ask(client, `{"ok": true}`))
	// Output: {"ok":"not true"}
}

func ExampleStall() {
	gate, client, end := throughGate()
	defer end()
	stalled := gate.ToServer.Add(chaos.Stall{})
	fmt.Println(askInVain(client, "hello"))
	stalled.Lift() // nothing was lost
	fmt.Println(ask(client, ""))
	// Output:
	// no answer
	// hello
}

func ExampleDiscard() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Discard{Resume: true})
	fmt.Println(askInVain(client, "lost"))
	gate.ToServer.Set()
	fmt.Println(ask(client, "hello"))
	// Output:
	// no answer
	// hello
}

func ExampleVanish() {
	gate, client, end := throughGate()
	defer end()
	// A partition: both peers keep a connection whose other half is gone.
	gate.ToServer.Set(chaos.Vanish{})
	gate.ToClient.Set(chaos.Vanish{})
	fmt.Println(askInVain(client, "hello"), len(gate.Conns()))
	// Output: no answer 1
}

func ExampleClose() {
	gate, client, end := throughGate()
	defer end()
	gate.ToClient.Set(chaos.Close{})
	_, err := client.Read(make([]byte, 1))
	fmt.Println(err)
	// Output: EOF
}

func ExampleCloseOnData() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.CloseOnData{})
	fmt.Println(ask(client, "hello"))
	// Output: EOF
}

func ExampleLimit() {
	gate, client, end := throughGate()
	defer end()
	gate.ToClient.Set(chaos.Limit{Bytes: 5})
	fmt.Fprintln(client, "hello, world")
	got, err := io.ReadAll(client)
	fmt.Printf("%s %v\n", got, err)
	// Output: hello <nil>
}

func ExampleLifetime() {
	gate, client, end := throughGate()
	defer end()
	gate.ToClient.Set(chaos.Lifetime{For: 10 * time.Millisecond, From: chaos.FromData})
	fmt.Println(ask(client, "hello"))
	_, err := client.Read(make([]byte, 1))
	fmt.Println(err)
	// Output:
	// hello
	// EOF
}

func ExampleIdle() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Idle{For: 10 * time.Millisecond})
	_, err := client.Read(make([]byte, 1))
	fmt.Println(err)
	// Output: EOF
}

func ExampleSlowClose() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.SlowClose{By: 20 * time.Millisecond})
	start := time.Now()
	client.(*net.TCPConn).CloseWrite()
	_, err := client.Read(make([]byte, 1))
	fmt.Println(err, time.Since(start) >= 20*time.Millisecond)
	// Output: EOF true
}

func ExampleLose() {
	gate, client, end := throughDatagramGate()
	defer end()
	gate.ToServer.Set(chaos.Lose{List: "2"})
	fmt.Println(ask(client, "first"))
	fmt.Println(askInVain(client, "second"))
	fmt.Println(ask(client, "third"))
	// Output:
	// first
	// no answer
	// third
}

func ExampleDuplicate() {
	gate, client, end := throughDatagramGate()
	defer end()
	gate.ToClient.Set(chaos.Duplicate{Chance: 1})
	client.Write([]byte("hello"))
	fmt.Println(receive(client), receive(client))
	// Output: hello hello
}

func ExampleReorder() {
	gate, client, end := throughDatagramGate()
	defer end()
	reordered := gate.ToServer.Add(chaos.Reorder{Chance: 0.5})
	var got []string
	for n := range 10 {
		fmt.Fprint(client, n)
	}
	for range 10 {
		got = append(got, receive(client))
	}
	fmt.Println(len(got), slices.IsSorted(got), reordered.Hits() > 0)
	// Output: 10 false true
}

func ExampleTruncate() {
	gate, client, end := throughDatagramGate()
	defer end()
	gate.ToServer.Set(chaos.Truncate{Size: 5})
	client.Write([]byte("hello, world"))
	fmt.Println(receive(client))
	// Output: hello
}

func ExampleMTU() {
	gate, client, end := throughDatagramGate()
	defer end()
	gate.ToServer.Set(chaos.MTU{Size: 1200})
	fmt.Println(ask(client, "hello"))
	fmt.Println(askInVain(client, strings.Repeat("hello ", 250)))
	// Output:
	// hello
	// no answer
}

func ExampleRebind() {
	gate, client, end := throughDatagramGate()
	defer end()
	ask(client, "hello")
	before := gate.Conns()[0].Info().Back
	gate.ToServer.Set(chaos.Rebind{})
	ask(client, "hello") // the answer comes to the new port
	fmt.Println(gate.Conns()[0].Info().Back == before, len(gate.Conns()))
	// Output: false 1
}

func ExampleSometimes() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Sometimes{Chance: 1, Fault: chaos.CloseOnData{}})
	fmt.Println(ask(client, "hello"))
	// Output: EOF
}

func ExampleAfter() {
	gate, client, end := throughGate()
	defer end()
	gate.ToClient.Set(chaos.After{Bytes: 5, Fault: chaos.Edit(bytes.ToUpper)})
	fmt.Println(ask(client, "whispershout"))
	// Output: whispERSHOUT
}

func ExampleDuring() {
	gate, client, end := throughGate()
	defer end()
	gate.ToClient.Set(chaos.During{For: 20 * time.Millisecond, Fault: chaos.Stall{}})
	fmt.Fprintln(client, "hello")
	fmt.Println(ask(client, "")) // the stall is over soon, and nothing was lost
	// Output: hello
}

func ExampleOnly() {
	gate, first, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Only{Nth: 2, Fault: chaos.CloseOnData{}})
	second, err := net.Dial("tcp", gate.Addr())
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()
	fmt.Println(ask(first, "hello"))
	fmt.Println(ask(second, "hello"))
	// Output:
	// hello
	// EOF
}

func ExampleEdit() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Edit(func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("l"), nil) }))
	fmt.Println(ask(client, "hello"))
	// Output: heo
}

func ExampleThrough() {
	gate, client, end := throughGate()
	defer end()
	gate.ToServer.Set(chaos.Through(func(dst io.Writer, src io.Reader) error {
		_, err := io.Copy(dst, io.LimitReader(src, 5))
		return err // nil ends the stream
	}))
	fmt.Fprintln(client, "hello, world")
	got, err := io.ReadAll(client)
	fmt.Printf("%s %v\n", got, err)
	// Output: hello <nil>
}

func ExampleDetour() {
	gate, client, end := throughGate()
	defer end()
	service, err := net.Listen("tcp", "127.0.0.1:0") // in any language
	if err != nil {
		log.Fatal(err)
	}
	defer service.Close()
	go func() {
		conn, err := service.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 1024)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			conn.Write(bytes.ToUpper(buf[:n]))
		}
	}()
	gate.ToServer.Set(chaos.Detour{Address: service.Addr().String()})
	fmt.Println(ask(client, "hello"))
	// Output: HELLO
}
