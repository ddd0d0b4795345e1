//go:build linux

package wiretest

// streamScripts are the checks that are scripts, up to what follows the end of a stream. A pause stands where one side has to have
// heard of what the other did, which no socket tells; it is long enough for a busy machine, and costs the direct run as much.
func streamScripts() []scripted {
	return []scripted{
		{row: 4, name: "server_speaks_first", mirror: true, unix: true, text: `
			open
			server say hello
			client read 5
			client say thanks
			server read 6`},
		{row: 4, name: "client_speaks_as_it_connects", unix: true, text: `
			client connect
			client say hello
			server accept
			server read 5
			server say thanks
			client read 6`},
		{row: 4, name: "client_speaks_and_shuts_as_it_connects", unix: true, text: `
			client connect
			client say hello
			client shut
			server accept
			server read all
			server say thanks
			server close
			client read all`},
		{row: 4, name: "no_data_at_all", mirror: true, unix: true, text: `
			open
			client shut
			server read all within 20ms
			server shut
			client read all within 20ms`},
		{row: 4, name: "no_data_and_closed_at_once", unix: true, text: `
			client connect
			client close
			server accept
			server read all
			server close`},
		{row: 7, name: "urgent_byte", mirror: true, text: `
			open
			server inline
			client say ab
			client oob !
			client say cd
			server read 5
			client shut
			server read all`},
		{row: 7, name: "urgent_byte_alone", mirror: true, text: `
			open
			server inline
			client oob !
			server read 1
			client say x
			server read 1`},
		{row: 8, name: "client_FIN_while_the_server_sends", mirror: true, unix: true, text: `
			open
			server send 50MiB &
			client read 1MiB
			client shut
			server read all within 20ms
			client read 49MiB
			server wait
			server shut
			client read all`},
		{row: 8, name: "client_FIN_while_the_server_is_stalled", mirror: true, unix: true, text: `
			open
			server send 24MiB &
			pause 50ms
			client shut
			server read all within 20ms
			client read 24MiB
			server shut
			client read all`},
		{row: 8, name: "client_FIN_then_an_answer", mirror: true, unix: true, text: `
			open
			client send 1MiB &
			server read 1MiB
			client shut
			server read all within 20ms
			server send 50MiB &
			client read 50MiB
			server wait
			server close
			client read all`},
		// The small window and the size see to it that the kernel cannot take everything: an end has data to overtake.
		{row: 9, name: "FIN_behind_bulk_to_a_slow_reader", mirror: true, unix: true, text: `
			server rcvbuf 64KiB
			open
			server read all by 32KiB gap 1ms &
			client send 8MiB
			client shut
			server wait
			server shut
			client read all`},
		{row: 9, name: "close_behind_bulk_to_a_slow_reader", mirror: true, unix: true, text: `
			server rcvbuf 64KiB
			open
			server read all by 32KiB gap 1ms &
			client send 8MiB
			client close
			server wait`},
		{row: 9, name: "close_behind_bulk_that_nobody_reads_yet", mirror: true, unix: true, text: `
			open
			client send 100KiB
			client close
			pause 100ms
			server read all`},
	}
}
