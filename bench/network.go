package main

import (
	"os"
	"strings"
)

// builtVar is the variable of the environment that tells this program that it runs in a network of its own, and in which
// folder the contenders were built before, where there was a network to build them from.
const builtVar = "CHAOS_BENCH_BUILT"

// sysctl returns the file of a setting of TCP.
func sysctl(name string) string { return "/proc/sys/net/ipv4/" + name }

// describeNetwork says what the figures of TCP depend on.
func describeNetwork() string {
	parts := []string{"the machine's"}
	if os.Getenv(builtVar) != "" {
		parts[0] = "a namespace of its own"
	}
	for _, name := range []string{"tcp_congestion_control", "tcp_rmem", "tcp_wmem", "ip_local_port_range"} {
		parts = append(parts, name+" "+strings.Join(strings.Fields(read(sysctl(name))), " "))
	}
	return strings.Join(parts, ", ")
}
