// Package chaostest puts gates into tests.
//
//	func TestClientSurvivesASlowDatabase(t *testing.T) {
//		gate := chaostest.NewGate(t, db.Addr) // closed at the end; on failure the seed and the last events are logged
//		client := store.Dial(gate.Addr())
//
//		slow := gate.ToClient.Add(chaos.Delay{By: 3 * time.Second})
//		if _, err := client.Get(t.Context(), "k"); !errors.Is(err, store.ErrTimeout) {
//			t.Errorf("slow answers: got %v, want a timeout", err)
//		}
//		chaostest.Fired(t, slow) // a fault that never fired proves nothing
//		slow.Lift()
//		chaostest.Recovers(t, 5*time.Second, func() error { _, err := client.Get(t.Context(), "k"); return err })
//	}
//
// [Network] is a network in memory, on which gates, clients and servers run in virtual time inside a bubble of
// testing/synctest. [TestFault] is the conformance test for a fault of one's own.
package chaostest
