package spec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

func Example() {
	fault, err := spec.ParseFault("after bytes=1KiB sometimes chance=10% delay by=200ms")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(spec.Text(fault))
	data, _ := spec.MarshalFault(fault)
	fmt.Println(string(data))
	// Output:
	// after bytes=1KiB sometimes chance=10% delay by=200ms
	// {"after":{"bytes":"1KiB","fault":{"sometimes":{"chance":0.1,"fault":{"delay":{"by":"200ms"}}}}}}
}

func ExampleParseFault() {
	fault, err := spec.ParseFault("delay by=200ms jitter=20ms")
	fmt.Printf("%T %+v %v\n", fault, fault, err)

	for _, text := range []string{"delay by=200", "dealy by=200ms", "bandwidth"} {
		_, err := spec.ParseFault(text)
		fmt.Println(err)
	}
	// Output:
	// chaos.Delay {By:200ms Jitter:20ms Distribution: Ordered:false} <nil>
	// delay: by: got 200, want a duration with its unit, such as 200ms
	// unknown fault "dealy", did you mean delay?
	// bandwidth: rate: got nothing, want a rate with its unit, such as 64KiB/s or 10Mbit/s
}

func ExampleParseFaults() {
	faults, err := spec.ParseFaults("delay by=200ms bandwidth rate=10Mbit/s after bytes=1MiB close reset")
	for _, fault := range faults {
		fmt.Println(spec.Text(fault))
	}
	fmt.Println(err)
	// Output:
	// delay by=200ms
	// bandwidth rate=1250KB/s
	// after bytes=1MiB close reset
	// <nil>
}

func ExampleText() {
	fmt.Println(spec.Text(chaos.Bandwidth{Rate: 64 << 10, Shared: true}))
	fmt.Println(spec.Text(chaos.Substitute{Pattern: "HTTP/1.1 200", With: "HTTP/1.1 503"}))
	// Output:
	// bandwidth rate=64KiB/s shared
	// substitute pattern="HTTP/1.1 200" with="HTTP/1.1 503"
}

func ExampleUnmarshalFault() {
	for _, data := range []string{`{"delay": {"by": "200ms"}}`, `"delay by=200ms"`, `{"delay": {"by": 200}}`} {
		fault, err := spec.UnmarshalFault([]byte(data))
		fmt.Println(fault, err)
	}
	// Output:
	// {200ms 0s  false} <nil>
	// {200ms 0s  false} <nil>
	// <nil> delay: by: got 200, want a duration with its unit, such as 200ms
}

func ExampleMarshalFault() {
	data, err := spec.MarshalFault(chaos.Close{Reset: true, After: time.Minute})
	fmt.Println(string(data), err)

	_, err = spec.MarshalFault(chaos.Edit(func(b []byte) []byte { return b }))
	fmt.Println(err)
	// Output:
	// {"close":{"reset":true,"after":"1m"}} <nil>
	// chaos.Edit exists in Go only: it cannot be written down
}

func ExampleError() {
	const text = "after bytes=1KiB delay by=200"
	_, err := spec.ParseFault(text)
	if where, ok := errors.AsType[*spec.Error](err); ok {
		fmt.Println(where)
		fmt.Println(text)
		fmt.Println(strings.Repeat(" ", where.Column-1) + "^ " + where.Path)
	}
	// Output:
	// after: fault: delay: by: got 200, want a duration with its unit, such as 200ms
	// after bytes=1KiB delay by=200
	//                           ^ after.fault.delay.by
}

func ExampleFault() {
	var step struct {
		Name  string     `json:"name"`
		Fault spec.Fault `json:"fault"`
	}
	err := json.Unmarshal([]byte(`{"name": "slow", "fault": "delay by=3s"}`), &step)
	fmt.Println(step.Fault, err)
	data, _ := json.Marshal(step)
	fmt.Println(string(data))
	// Output:
	// delay by=3s <nil>
	// {"name":"slow","fault":{"delay":{"by":"3s"}}}
}

func ExampleEntries() {
	var faults spec.Entries
	err := json.Unmarshal([]byte(`["delay by=1s", {"corrupt": {"rate": 0.001}}]`), &faults)
	fmt.Println(len(faults), err)
	data, _ := json.Marshal(faults)
	fmt.Println(string(data))
	// Output:
	// 2 <nil>
	// [{"delay":{"by":"1s"}},{"corrupt":{"rate":0.001}}]
}

func ExampleGate() {
	var g spec.Gate
	err := json.Unmarshal([]byte(`{
		"name": "redis",
		"listen": "127.0.0.1:26379",
		"server": "127.0.0.1:6379",
		"seed": "0xfeedfacecafebeef",
		"to_client": ["delay by=200ms"]
	}`), &g)
	fmt.Println(g.Text(), err)
	data, _ := json.Marshal(g)
	fmt.Println(string(data))
	// Output:
	// redis=127.0.0.1:26379,127.0.0.1:6379 <nil>
	// {"name":"redis","network":"tcp","listen":"127.0.0.1:26379","server":"127.0.0.1:6379","seed":"0xfeedfacecafebeef","to_client":[{"delay":{"by":"200ms"}}]}
}

func ExampleGate_New() {
	g := spec.Gate{Server: "127.0.0.1:6379", Seed: 42, ToClient: spec.EntriesOf(chaos.Delay{By: time.Second})}
	gate, err := g.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gate.Close() // and Start, before that
	for _, imposed := range gate.ToClient.Imposed() {
		fmt.Println(spec.Text(imposed.Fault()))
	}
	// Output:
	// delay by=1s
}

func ExampleGate_Check() {
	g := spec.Gate{Network: "unix", Server: "/run/db.sock", ToClient: spec.EntriesOf(chaos.Close{Reset: true})}
	fmt.Println(g.Check())
	g = spec.Gate{Server: "::1:80"}
	fmt.Println(g.Check())
	// Output:
	// to_client[0]: close: reset: got true, want false, because a unix socket has no RST
	// server: got ::1:80, want HOST:PORT, with an IPv6 address in brackets
}

func ExampleParseGate() {
	g, err := spec.ParseGate("db=tcp6:[::1]:15432,db.example:5432")
	fmt.Println(g.Name, g.Network, g.Listen, g.Server, err)

	_, err = spec.ParseGate("127.0.0.1:26379")
	fmt.Println(err)
	// Output:
	// db tcp6 [::1]:15432 db.example:5432 <nil>
	// gate: got 127.0.0.1:26379, want [NAME=][tcp:|udp:|unix:]LISTEN,SERVER, such as redis=127.0.0.1:26379,127.0.0.1:6379
}

func ExampleGate_Text() {
	g := spec.Gate{Name: "pg", Network: "unix", Listen: "/tmp/front.sock", Server: "/run/pg.sock"}
	fmt.Println(g.Text())
	// Output:
	// pg=unix:/tmp/front.sock,/run/pg.sock
}

func ExampleSeed() {
	var seed spec.Seed
	err := seed.UnmarshalText([]byte("0xfeedfacecafebeef"))
	fmt.Println(seed, err)
	large, _ := json.Marshal(seed)
	small, _ := json.Marshal(spec.Seed(42))
	fmt.Println(string(large), string(small))
	// Output:
	// 0xfeedfacecafebeef <nil>
	// "0xfeedfacecafebeef" 42
}

func ExampleDescribe() {
	for _, d := range spec.Describe() {
		if d.Name != "delay" {
			continue
		}
		for _, p := range d.Params {
			fmt.Println(d.Name, p.Name, p.Type, p.Want)
		}
	}
	// Output:
	// delay by duration a duration with its unit, such as 200ms
	// delay jitter duration a duration with its unit, such as 200ms
	// delay distribution choice uniform, normal or pareto
	// delay ordered flag true or false
}
