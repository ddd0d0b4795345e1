// Package spec writes gates and faults down: as JSON, and as one line of text. It does no I/O.
//
//	fault, err := spec.ParseFault("delay by=200ms jitter=20ms")
//	fmt.Println(spec.Text(fault))         // delay by=200ms jitter=20ms
//	data, err := spec.MarshalFault(fault) // {"delay":{"by":"200ms","jitter":"20ms"}}
//	gate.ToServer.Set(fault)
//
// # A fault
//
// A fault is the name of its kind and its parameters as key=value; a flag may stand alone. A parameter that is left out is zero. In
// names and keys a hyphen is an underscore. The keys of a kind end at the next kind's name, so that several faults fit on one line:
//
//	delay by=200ms jitter=20ms distribution=normal
//	delay by=200ms bandwidth rate=64KiB/s
//	close reset after=1.5s
//
// A selector (after, during, only, sometimes) carries one fault. It stands before it and takes the rest of the line:
//
//	after bytes=1KiB sometimes chance=10% delay by=200ms
//
// In JSON a fault is an object with the kind as its only key, or a string that holds the text form, wherever it stands:
//
//	{"delay": {"by": "200ms", "jitter": "20ms"}}
//	{"after": {"bytes": "1KiB", "fault": {"delay": {"by": "200ms"}}}}
//	{"after": {"bytes": "1KiB", "fault": "delay by=200ms"}}
//	"after bytes=1KiB delay by=200ms"
//
// # Values
//
// Whatever has a unit is written with its unit: 200 is refused where 200ms is meant.
//
//	duration  200ms, 1.5s, 1h30m        as in Go; in JSON a string
//	size      100B, 64KiB, 1.5MB        K, M, G and T are thousands, Ki, Mi, Gi and Ti are 1024s; in JSON a string
//	rate      64KiB/s, 10Mbit/s         a size a second, or bit/s, kbit/s, Mbit/s, Gbit/s; in JSON a string
//	chance    10% or 0.1                in JSON a number or a string
//	count     3                         in JSON a number
//	flag      reset, reset=true         in JSON true or false
//	choice    normal                    one of the names that the kind lists
//	text      GET, "two words\n"        in quotes, as in Go, if it has blanks, quotes or control characters
//
// [Describe] lists all kinds with their parameters; it is made from what the kinds themselves say, as is everything here: a kind of
// your own that you [chaos.Register] can be written down at once.
//
// # A gate
//
// A [Gate] is a gate with its faults, in JSON:
//
//	{"name": "redis", "listen": "127.0.0.1:26379", "server": "127.0.0.1:6379", "to_client": ["delay by=200ms"]}
//
// Its addresses alone fit on one line, [NAME=][tcp:|udp:|unix:]LISTEN,SERVER:
//
//	redis=127.0.0.1:26379,127.0.0.1:6379
//
// # Errors
//
// What cannot be read or imposed is refused as a whole, with an [Error] that tells where; it names the kind, the key, what was given
// and what would be right:
//
//	delay: by: got 200, want a duration with its unit, such as 200ms
//	unknown fault "dealy", did you mean delay?
package spec
