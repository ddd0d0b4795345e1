// Package matrix finds out what happens to a client under every condition of its network, and whether it recovers.
//
// A cell is a condition (the server does not answer, bytes are corrupted, …), a direction (to the server, to the client,
// both) and a moment (before the connection, on an idle connection, while a request is under way). In each cell a gate
// imposes the condition on a probe that has just worked, looks what comes of it, lifts the condition, and probes until it
// works again:
//
//	run := matrix.Run{
//		Server: "127.0.0.1:6379",
//		Probe: func(ctx context.Context, addr string) (matrix.Answer, error) {
//			value, err := get(ctx, addr, "key") // the client under test, which connects to addr
//			return matrix.Answer{Output: value}, err
//		},
//	}
//	report, err := run.Do(ctx)
//	for _, cell := range report.Cells {
//		fmt.Println(cell.ID, cell.Verdict, cell.Says) // stall/to_client/idle hang Neither an answer nor an error within 10.0 s; …
//	}
//
// The [Report] is a record of all that was seen, as JSON; whatever people read is a pure function of it. In a test of Go,
// chaostest.Matrix runs the same cells as subtests; on the command line it is "chaosgate matrix".
//
// # Verdicts
//
// Every attempt of the probe has an outcome, from the best to the worst: ok, slow, error, timeout, wrong, crash, hang. The
// verdict on a cell is the worst outcome under the condition, with four more that only a cell can have:
//
//   - not_exercised: the condition made no difference to anything, so the cell proves nothing;
//   - storm: the client has opened connections in a loop;
//   - no_recovery: the client did not work again when the condition was gone;
//   - skipped: it did not work before.
//
// A wrong answer after the condition was lifted counts as well: a client that reads yesterday's answer today is wrong.
//
// # Seeds
//
// A run has one seed, and a cell another, which follows from the run's and from the cell's name: so a cell that is run
// alone meets the same randomness as in its run.
package matrix
