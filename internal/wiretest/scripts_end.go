//go:build linux

package wiretest

// endScripts are the checks of how connections end, as far as they are scripts.
func endScripts() []scripted {
	return []scripted{
		{row: 11, name: "write_after_a_full_close", mirror: true, text: `
			open
			server close
			pause 100ms
			client say x
			pause 100ms
			client say y
			client read all`},
		{row: 11, name: "write_after_a_full_close_and_its_EOF", mirror: true, text: `
			open
			client say hello
			server read 5
			server say thanks
			client read 6
			server close
			client read all
			client say x
			pause 100ms
			client say y
			client read all`},
		{row: 12, name: "RST_on_an_idle_pair", mirror: true, text: `
			open
			pause 100ms
			server reset
			client read all within 50ms`},
		{row: 12, name: "RST_after_traffic", mirror: true, text: `
			open
			greet
			client send 256KiB &
			server read 256KiB
			server send 256KiB &
			client read 256KiB
			pause 20ms
			server reset
			client read all within 50ms`},
		{row: 12, name: "RST_while_the_other_direction_is_stalled", mirror: true, text: `
			open
			greet
			client send 24MiB loose &
			pause 100ms
			server reset
			client wait within 50ms
			client read all`},
		{row: 12, name: "RST_while_this_direction_is_stalled", mirror: true, text: `
			open
			greet
			server send 24MiB loose &
			pause 100ms
			server reset
			server wait
			client read all loose`},
		{row: 12, name: "RST_while_half_closed", mirror: true, text: `
			open
			greet
			client shut
			server read all
			pause 20ms
			server reset
			client read all within 50ms`},
		{row: 12, name: "RST_from_who_has_shut", mirror: true, text: `
			open
			greet
			server say bye
			server shut
			client read all
			pause 20ms
			server reset
			client hears within 50ms
			client say x`},
		{row: 12, name: "RST_while_half_closed_and_the_other_direction_is_stalled", mirror: true, text: `
			open
			greet
			server shut
			client read all
			client send 24MiB loose &
			pause 100ms
			server reset
			client wait within 50ms
			client read all`},
		{row: 13, name: "2MiB_then_RST_to_a_slow_reader", mirror: true, text: `
			server rcvbuf 64KiB
			open
			greet
			server read all by 16KiB gap 1ms &
			client send 2MiB
			client drain
			client reset
			server wait`},
		{row: 13, name: "2MiB_then_RST_to_a_late_reader", mirror: true, text: `
			client rcvbuf 8MiB
			server rcvbuf 8MiB
			open
			greet
			client send 2MiB
			client drain
			client reset
			pause 300ms
			server read all`},
		{row: 13, name: "a_word_then_RST", mirror: true, text: `
			open
			greet
			client say hello
			client drain
			client reset
			pause 50ms
			server read all`},
		{row: 14, name: "RST_after_FIN", mirror: true, text: `
			open
			greet
			server shut
			client read all
			server reset
			client hears
			client say x
			client read all`},
		{row: 14, name: "RST_after_FIN_that_nobody_has_read", mirror: true, text: `
			open
			greet
			server say bye
			server shut
			pause 50ms
			server reset
			client hears
			client read all`},
		{row: 14, name: "shut_while_the_other_is_mid_send", mirror: true, unix: true, text: `
			open
			greet
			client send 24MiB &
			server read 1MiB
			server shut
			client read all within 20ms
			server read 23MiB
			client wait
			client shut
			server read all`},
		{row: 14, name: "clean_close_after_an_exchange", mirror: true, text: `
			open
			greet
			client send 1MiB &
			server read 1MiB
			server say bye
			server close
			client read all
			client quiet 0s`},
		{row: 14, name: "clean_close_to_a_slow_reader_who_writes_on", mirror: true, text: `
			open
			greet
			client say hello
			server read 5
			client read 4MiB by 64KiB gap 1ms &
			server send 4MiB
			server close
			client wait
			client read all
			client say x
			pause 100ms
			client say y`},
		{row: 14, name: "close_with_unread_bytes_is_RST", mirror: true, text: `
			open
			greet
			client say hello
			client drain
			pause 100ms
			server close
			client read all within 50ms`},
		{row: 15, name: "SHUT_RD_is_invisible", mirror: true, text: `
			open
			server shutrd
			client say hello
			client quiet 100ms
			client say again
			client drain
			client quiet 20ms
			server say x
			client read 1
			client say more
			client drain
			server shut
			client read all`},
		{row: 15, name: "bulk_after_SHUT_RD", mirror: true, text: `
			open
			server send 1MiB &
			server shutrd
			client read 1MiB
			client shut
			client quiet 50ms
			server wait
			server say bye
			client read 3
			server close
			client read all`},
	}
}
