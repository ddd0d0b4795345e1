// Package probe makes probes for a matrix of what is written on a command line: a command, a URL, or a script of what is
// sent to the gate and what is expected of it.
//
//	command, err := probe.Command(`redis-cli -h $CHAOSGATE_HOST -p $CHAOSGATE_PORT get key`)
//	run := matrix.Run{Server: "127.0.0.1:6379", Probe: command}
package probe
