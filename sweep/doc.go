// Package sweep cuts an exchange at every point, to find out what becomes of a client then.
//
// It records what a probe and its server say to one another, three times, and then has the probe do the same again and again: each time an action
// (the end of the stream, a reset, …) happens at another point, between two bytes. All before the point is delivered, and nothing behind it. Then it lifts the
// action, and looks whether the probe recovers.
//
//	s := &sweep.Sweep{Run: matrix.Run{
//		Server: "127.0.0.1:5432",
//		Probe: func(ctx context.Context, addr string) (matrix.Answer, error) {
//			return matrix.Answer{}, insert(ctx, addr, matrix.AttemptID(ctx)) // the client under test, which connects to addr
//		},
//	}}
//	report, err := s.Do(ctx)
//	for _, strip := range report.Strips {
//		for _, r := range strip.Ranges {
//			fmt.Println(strip.ID(r), r.To, r.Verdict, r.Says) // fin/1/to_client/2+4 8 wrong answered "he", want "hello"
//		}
//	}
//
// # Points
//
// A message is what goes one way on a connection until something goes the other, or until there is a pause. A point is said by connection, direction,
// message and offset in it, as in 1/to_client/3+5, so that what varies from time to time before it does not move it. Where messages themselves
// differ from time to time the sweep says so, and leaves that part out.
//
// The boundaries of each message and one byte around them are tried first. Between neighbours of which something else has come the point in the
// middle is tried, until there is none between them. [Sweep.EveryByte] tries all.
//
// # Verdicts
//
// They are those of package matrix, on whose runs a sweep stands. A point at which the action did not happen, because the exchange went another way, is
// "not exercised", and its sentence begins with "diverged". With [Sweep.Check] a write that was lost or done twice is "wrong".
package sweep
