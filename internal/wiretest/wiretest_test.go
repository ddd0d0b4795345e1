//go:build linux

package wiretest

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// envFor returns an Env whose Via is a flawed proxy, or a direct connection.
func envFor(t *testing.T, network string, flaw *flawed) *Env {
	e := &Env{Network: network, Via: Direct, Dir: t.TempDir(), Logf: t.Logf}
	if flaw == nil {
		return e
	}
	e.Via = func(server string) string {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(e.Dir, fmt.Sprintf("proxy%d.sock", serial.Add(1)))
		}
		return flaw.start(t, e.network(), server, address)
	}
	return e
}

// TestADirectConnectionPasses holds that no check asks for more than a wire gives.
func TestADirectConnectionPasses(t *testing.T) {
	for _, c := range Checks() {
		t.Run(c.String(), func(t *testing.T) {
			if err := c.Run(envFor(t, "tcp", nil)); err != nil {
				t.Error(err)
			}
		})
		if c.Unix {
			t.Run(c.String()+"/unix", func(t *testing.T) {
				if err := c.Run(envFor(t, "unix", nil)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestFlawsAreFound holds that every check can fail, and does for a proxy that makes the mistake which the check is about.
func TestFlawsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("that the checks can fail need not be shown in every short run")
	}
	plain := []flawed{{}} // passes FIN on, but every reset as a FIN, and leaves urgent bytes out
	closes := []flawed{{closeBoth: true}}
	flaws := map[string][]flawed{
		"byte_identity":                           {{flip: true}, {swap: true}},
		"any_segmentation":                        {{swap: true}},
		"full_duplex":                             {{lockstep: true}},
		"server_speaks_first":                     {{lazyDial: true}},
		"server_speaks_first_mirrored":            {{flip: true}},
		"client_speaks_as_it_connects":            {{flip: true}},
		"client_speaks_and_shuts_as_it_connects":  {{giveUpOnFIN: true}, {resetEnds: true}},
		"no_data_at_all":                          {{ignoreFIN: true}, {cork: true}},
		"no_data_at_all_mirrored":                 {{lazyDial: true}, {cork: true}},
		"no_data_and_closed_at_once":              {{giveUpOnFIN: true}},
		"ping_pong":                               {{batch: true}},
		"write_write_read_with_Nagle":             {{batch: true}},
		"delivered_before_the_next_write":         {{batch: true}},
		"client_FIN_while_the_server_sends":       closes,
		"client_FIN_while_the_server_is_stalled":  {{closeBoth: true}, {cork: true}},
		"client_FIN_then_an_answer":               closes,
		"FIN_right_behind_a_word":                 {{resetEnds: true}},
		"FIN_behind_bulk_to_a_slow_reader":        {{overtake: true}},
		"close_behind_bulk_to_a_slow_reader":      {{overtake: true}},
		"close_behind_bulk_that_nobody_reads_yet": {{resetEnds: true}},
		"both_FINs_close_both_legs":               {{ignoreFIN: true}, {cork: true}},
		"both_shut_at_once":                       {{resetEnds: true}, {closeBoth: true, hastyReset: true}},
		"2MiB_then_RST_to_a_slow_reader":          {{}, {hastyReset: true}},
		"2MiB_then_RST_to_a_late_reader":          plain,
		"shut_while_the_other_is_mid_send":        closes,
		"clean_close_after_an_exchange":           {{resetEnds: true}},
		"SHUT_RD_is_invisible":                    {{flip: true}},
		"bulk_after_SHUT_RD":                      {{flip: true}},
		"half_closed_and_idle":                    {{idle: true}, {closeBoth: true}},
		"both_close_at_once":                      {{leak: true}},
		"client_FIN_during_the_dial":              {{giveUpOnFIN: true}},
		"server_refuses":                          {{failFIN: true}},
		"server_is_a_black_hole":                  {{dropOnDial: true}},
		"server_starts_later":                     {{remember: true}},
		"simultaneous_connects":                   {{few: true}},
		"one_hanging_dial_delays_nobody":          {{serialDial: true}},
		"as_many_connections_as_clients":          {{dialTwice: true}},
		"plain_TCP":                               {{multipath: true}},
		"a_stopped_reader_is_felt":                {{unbounded: true}},
		"short_connections_leave_nothing":         {{leak: true}, {hoards: true}},
		"two_descriptors_for_an_idle_connection":  {{keepsPipe: true}},
		"idle_connections_cost_nothing":           {{poll: true}, {idle: true}},
		"keep_alive_on_both_legs":                 {{deaf: true}},
	}
	known := map[string]bool{}
	for _, c := range Checks() {
		known[c.Name] = true
		if strings.HasSuffix(c.Name, "_mirrored") && flaws[c.Name] == nil {
			continue // the same script, and as able to fail
		}
		t.Run(c.String(), func(t *testing.T) {
			fs, ok := flaws[c.Name]
			if !ok {
				fs = plain
			}
			for i, flaw := range fs {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					e := envFor(t, "tcp", &flaw)
					e.Patience = 1500 * time.Millisecond
					for range 5 { // some flaws, such as an end that overtakes data, show by chance
						if err := c.Run(e); err != nil {
							t.Log(err)
							return
						}
					}
					t.Errorf("passed five times by a proxy with %+v", flaw)
				})
			}
		})
	}
	for name := range flaws {
		if !known[name] {
			t.Errorf("no check has the name %q", name)
		}
	}
}

func TestPattern(t *testing.T) {
	whole := make([]byte, 3<<20)
	fillPattern(whole, 1, 0)
	for _, tt := range []struct{ offset, size int }{{0, 1}, {1, 1}, {7, 9}, {8, 8}, {63, 2}, {64, 64}, {100, 4097}, {1<<20 - 3, 10}, {2<<20 + 5, 70000}} {
		got := make([]byte, tt.size)
		fillPattern(got, 1, int64(tt.offset))
		if want := whole[tt.offset : tt.offset+tt.size]; !bytes.Equal(got, want) {
			t.Errorf("%d bytes at %d: first difference at %d", tt.size, tt.offset, differAt(got, want))
		}
	}
	for _, distance := range []int{1, 64, 4096, 1 << 20} {
		if bytes.Equal(whole[:64], whole[distance:distance+64]) {
			t.Errorf("the pattern repeats itself after %d bytes", distance)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"nobody read 1", "client", "client dance", "client send", "client send -1", "client read 1 by x", "client shut now", "pause"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}
