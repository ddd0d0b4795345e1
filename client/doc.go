// Package client speaks to a chaosgate daemon: it puts gates before servers, imposes faults on what goes through them, and tells what
// happens there. It is for tests and tools whose gates are not in their own process; a test in Go that can have them there uses package
// chaos itself, in the same words.
//
//	daemon, err := client.New("http://127.0.0.1:8474", client.Options{By: t.Name()})
//	gate, err := daemon.Create(ctx, spec.Gate{Name: "redis", Listen: "127.0.0.1:26379", Server: "127.0.0.1:6379"})
//
// # Faults
//
// A [Where] names a flow: of a gate, or of one of its connections. When the call that imposes a fault returns, every connection obeys; the
// answer tells from which byte on.
//
//	answers := client.Where{Gate: "redis", Direction: chaos.ToClient}
//	slow, err := daemon.Add(ctx, answers, spec.EntriesOf(chaos.Delay{By: 3 * time.Second}))
//	…
//	_, err = daemon.WaitHits(ctx, answers, slow[0].ID, 1) // a fault that never fired proves nothing
//	_, err = daemon.Lift(ctx, answers, slow[0].ID)
//
// All faults are lifted, and all doors opened, by
//
//	healed, err := daemon.Heal(ctx, "")
//
// # What waits
//
// The methods named Wait… ask the daemon to answer when something has happened. They wait for as long as their context lasts; when its
// deadline passes the error is [ErrTimedOut], and tells how far it has come.
//
// # Events
//
// [Client.Events] is what happens, in order. It goes on by itself where its connection breaks; what could not be told, because it was too
// much or the daemon was started anew, is told as an event of type [status.EventLost].
//
//	for event, err := range daemon.Events(ctx, client.EventsQuery{Gate: "redis"}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(event.Type, event.Fault)
//	}
//
// # Nothing left behind, nothing lost unseen
//
// What names a lease goes with it when the lease is not renewed in time, so that a test that dies leaves no fault behind.
// [Client.HoldLease] keeps a lease for as long as the process lives and wants it:
//
//	hold, err := daemon.HoldLease(ctx, "ci-42", 10*time.Second)
//	defer hold.Release()
//	slow, err := daemon.Add(ctx, answers, spec.Entries{{Fault: chaos.Delay{By: time.Second}, Lease: "ci-42"}})
//
// A daemon that was started anew has forgotten what was imposed, unless it keeps that in a file. With [Options.Pin], everything that is
// asked of another run of the daemon than the first is refused with [ErrRestarted]: no test passes on a clean wire without knowing.
//
// # Errors
//
// What a daemon refuses is an [*Error], which tells what is wrong and where; errors.Is tells of what sort it is:
//
//	if errors.Is(err, client.ErrUnknown) { … }
package client
