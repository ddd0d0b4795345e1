// Package status is what a daemon says of itself, as Go types that are JSON on the wire: its gates, what is imposed on them, their
// connections, and what happens.
//
// The daemon makes these values and package client reads them; nothing here does anything.
//
//	gate, err := daemon.Gate(ctx, "redis")
//	for _, f := range gate.ToClient {
//		fmt.Println(f.ID, f.Fault, f.Hits)
//	}
package status
