// Package realservers has no code, only tests: real servers and their usual
// clients behind a gate.
//
// Each test starts its own PostgreSQL, Redis or dnsmasq on a free loopback port,
// in a temporary folder, and ends it; DNS and QUIC servers in Go run in the test
// itself. A direct run is the oracle of what they do through a gate: the same
// under conditions that lose nothing, recovery after each one that does, and
// never a wrong result.
package realservers
