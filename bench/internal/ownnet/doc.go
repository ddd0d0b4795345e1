// Package ownnet has a program measure in a network of its own, with TCP as Linux has it by default: machines have other settings, such as
// pacing, which would then be what is measured.
//
//	if !ownnet.Inside() {
//		code, err := ownnet.Rerun(ctx, nil, os.Args[1:], os.Stdout, os.Stderr)
//		…
//	}
//	err := ownnet.SetUp()
package ownnet

import (
	"os"
	"strings"
)

// variable tells this program that it runs in a network of its own.
const variable = "CHAOS_OWN_NETWORK"

// Inside reports whether the program runs in a network of its own.
func Inside() bool { return os.Getenv(variable) != "" }

// sysctl returns the file of a setting of TCP.
func sysctl(name string) string { return "/proc/sys/net/ipv4/" + name }

// Describe says what the figures of TCP depend on.
func Describe() string {
	parts := []string{"the machine's"}
	if Inside() {
		parts[0] = "a namespace of its own"
	}
	for _, name := range []string{"tcp_congestion_control", "tcp_rmem", "tcp_wmem", "ip_local_port_range"} {
		value, _ := os.ReadFile(sysctl(name))
		parts = append(parts, name+" "+strings.Join(strings.Fields(string(value)), " "))
	}
	return strings.Join(parts, ", ")
}
