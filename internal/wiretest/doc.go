// Package wiretest tells a proxy from a wire. It drives a client and a server over real sockets by the same script twice, once
// directly and once through whatever is under test, and compares what the two could observe: bytes, error numbers, ends of
// stream, and their order. The direct run is the oracle, so no expectation is written down that a kernel does not keep itself.
//
//	err := wiretest.Compare(env, `
//		client connect
//		server accept
//		client send 1MiB &
//		server read 1MiB
//		client shut
//		server read all within 20ms
//	`)
//
// A [Check] is one row, or a part of one, of the wire contract. [Checks] lists those that need nothing from the thing under test
// but an address to connect to; the package's own tests hold that a direct connection passes every one of them, and that for
// every one of them there is a plausible proxy that does not.
package wiretest
