package chaos_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/chaosgate/chaos"
)

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
