//go:build linux

package wiretest

import "slices"

// DatagramChecks returns the checks of what datagrams meet, in the order of the rows. They need an Env whose Network is "udp4" or
// "udp6": that is the server's; the clients' follows from what Via returns.
func DatagramChecks() []Check {
	all := append(DatagramScripts(),
		Check{Row: 24, Name: "datagrams_do_not_wait", Run: datagramRoundTrips},
		Check{Row: 26, Name: "one_descriptor_for_an_idle_session", Run: sessionDescriptors},
		Check{Row: 27, Name: "idle_sessions_cost_nothing", Run: sessionCost},
		Check{Row: 30, Name: "replies_go_to_whom_they_belong", Run: manyClients},
		Check{Row: 31, Name: "nothing_lost_at_a_steady_rate", Run: steadyRate},
		Check{Row: 32, Name: "nothing_lost_by_an_old_error", Run: serverAway})
	slices.SortStableFunc(all, func(a, b Check) int { return a.Row - b.Row })
	return all
}

// DatagramScripts returns those of them that are scripts, which wait more than they work and so may run side by side.
func DatagramScripts() (all []Check) {
	for _, s := range datagramScripts {
		all = append(all, s.check())
	}
	return all
}

// DatagramDoors returns the checks of doors for datagrams. They need an Env with a Door, too.
func DatagramDoors() (all []Check) {
	for _, s := range datagramDoorScripts {
		all = append(all, s.check())
	}
	return all
}

// A datagramScript is a check that is a script.
type datagramScript struct {
	row  int
	name string
	text string
}

func (s datagramScript) check() Check {
	return Check{Row: s.row, Name: s.name, Run: func(e *Env) error { return CompareDatagrams(e, s.text) }}
}

// everySize are the sizes at which something changes: nothing; a byte; what every host takes (RFC 791: 576 with its headers); what
// an Ethernet frame holds, and one more; a jumbo frame; the most there is.
const everySize = "0,1,508,1472,1473,9000,largest"

// burst is a mix of sizes, which stays below the receive buffer that a socket has by default.
const burst = "1,9000,0,1472,64,1473,0,2,largest,508,4096,0,1200"

var datagramScripts = []datagramScript{
	{29, "every_size_alone", `
		client connect
		client send 0; server read 1; server send 0 to A; client read 1
		client send 1; server read 1; server send 1 to A; client read 1
		client send 508; server read 1; server send 508 to A; client read 1
		client send 1472; server read 1; server send 1472 to A; client read 1
		client send 1473; server read 1; server send 1473 to A; client read 1
		client send 9000; server read 1; server send 9000 to A; client read 1
		client send largest; server read 1; server send largest to A; client read 1
		server quiet 20ms
		client quiet 20ms`},
	{29, "every_size_in_a_row", `
		client connect
		client send ` + everySize + `
		server read 7
		server send ` + everySize + ` to A
		client read 7
		server quiet 20ms
		client quiet 20ms`},
	{29, "empty_ones_are_datagrams", `
		client connect
		client send 0 x20
		server read 20
		server send 0 x20 to A
		client read 20
		server quiet 20ms
		client quiet 20ms`},
	{29, "bursts_of_mixed_sizes", `
		client connect
		client send ` + burst + ` x2; server read 26
		server send ` + burst + ` x2 to A; client read 26
		client send ` + burst + ` x2; server send ` + burst + ` x2 to A
		client read 26; server read 26
		client send 300,300,300,300,0,300,301 x10; server read 70
		server send 300,300,300,300,0,300,301 x10 to A; client read 70
		server quiet 20ms
		client quiet 20ms`},
	{30, "answers_without_an_order", `
		client connect
		other connect
		client send 10; server read 1
		other send 20; server read 1
		server send 30 to A; server send 40 to B; server send 50,60 to A
		other read 1
		client read 3
		other send 1000; client send 1001; other send 1002
		server read 3
		server send 70 to A; server send 80 to B
		client read 1
		other read 1
		client quiet 20ms
		other quiet 20ms`},
	{30, "one_client_one_port", `
		client connect
		other connect
		client send 10 x10; server read 10
		other send 10 x10; server read 10
		client send 10; server read 1
		pause 50ms
		client send 10 x3 gap 10ms; server read 3
		other send 10; server read 1
		server send 10 to B; other read 1
		client send 10; server read 1`},
	{30, "a_client_that_comes_again_is_another", `
		client connect
		client send 10; server read 1; server send 11 to A; client read 1
		client close
		client connect
		client send 12; server read 1; server send 13 to B; client read 1
		client quiet 20ms`},
	{31, "order_is_kept", `
		client connect
		client send 100 x150; server read 150
		server send 100 x150 to A; client read 150
		client send 1200,40 x50; server read 100
		server send 40,1200 x50 to A; client read 100`},
	{32, "the_server_goes_and_comes_back", `
		client connect
		client send 10; server read 1; server send 11 to A; client read 1
		server close
		client send 12 stubborn
		settle
		client send 13,14,0 stubborn
		settle
		server listen
		client send 15,0,1400 stubborn
		server read 3
		server send 16,17 to A
		client read 2 stubborn
		client send 18; server read 1
		server quiet 20ms
		client quiet 20ms`},
	{32, "the_server_comes_later", `
		server close
		client connect
		client send 10 stubborn
		settle
		client send 11 stubborn
		settle
		server listen
		client send 12,13 stubborn
		server read 2
		server send 14 to A
		client read 1 stubborn
		server quiet 20ms
		client quiet 20ms`},
}

var datagramDoorScripts = []datagramScript{
	{0, "refuse", `
		client connect
		client send 10; server read 1; server send 11 to A; client read 1
		door refuse
		client send 12
		client hears
		client send 13
		client hears
		client quiet 20ms
		other connect
		other send 0
		other hears
		door open
		client send 14; server read 1
		other send 15; server read 1
		server send 16 to A; client read 1
		server send 17 to B; other read 1
		server quiet 20ms`},
	{0, "refuse_from_the_beginning", `
		door refuse
		client connect
		client send 10
		client hears
		door open
		client send 11; server read 1; server send 12 to A; client read 1`},
	{0, "hold", `
		client connect
		client send 10; server read 1
		door hold
		client send 0,1,1472
		other connect
		other send 20,30
		client send 9000
		client quiet 20ms
		other quiet 20ms
		door open
		server read 6
		server send 40 to A; server send 41 to B; client read 1; other read 1
		server quiet 20ms`},
	{0, "blackhole", `
		client connect
		client send 10; server read 1
		door blackhole
		client send 0,20,1472
		other connect
		other send 30
		client quiet 20ms
		other quiet 20ms
		door open
		client send 40; server read 1
		other send 50; server read 1
		server send 60 to A; server send 61 to B; client read 1; other read 1
		server quiet 20ms`},
}
