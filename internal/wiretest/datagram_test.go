//go:build linux

package wiretest

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"
)

// datagramEnv returns an Env for datagrams whose Via is a forwarder, or a direct socket.
func datagramEnv(t *testing.T, network string, flaw *flawedDatagrams) *Env {
	e := &Env{Network: network, Via: Direct, Logf: t.Logf}
	if flaw == nil {
		return e
	}
	var w *forwarder
	e.Via = func(server string) string {
		w = flaw.start(t, server, e.datagramAddress())
		return w.front.LocalAddr().String()
	}
	e.Door = func(door string) error {
		w.shut.Store(door != "open") // one door for all
		return nil
	}
	return e
}

// TestADirectSocketPasses holds that no check asks for more than a socket gives.
func TestADirectSocketPasses(t *testing.T) {
	for _, network := range []string{"udp4", "udp6"} {
		for _, c := range slices.Concat(DatagramChecks(), DatagramDoors()) {
			if (network == "udp6" || c.Row == 27) && !isDatagramScript(c) {
				continue // they have nothing to do with addresses, and nothing that is not there costs anything
			}
			t.Run(c.String()+"/"+network, func(t *testing.T) {
				if isDatagramScript(c) {
					t.Parallel()
				}
				if err := c.Run(datagramEnv(t, network, nil)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestAnHonestForwarderPasses holds that a forwarder can pass.
func TestAnHonestForwarderPasses(t *testing.T) {
	for _, c := range DatagramChecks() {
		t.Run(c.String(), func(t *testing.T) {
			if isDatagramScript(c) {
				t.Parallel()
			}
			if err := c.Run(datagramEnv(t, "udp4", &flawedDatagrams{})); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDatagramFlawsAreFound holds that every check can fail, and does for a forwarder that makes the mistake which the check is
// about; and that every mistake is found.
func TestDatagramFlawsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("that the checks can fail need not be shown in every short run")
	}
	flaws := map[string][]flawedDatagrams{
		"datagrams_do_not_wait":                {{batches: true}},
		"one_descriptor_for_an_idle_session":   {{leaks: true}},
		"idle_sessions_cost_nothing":           {{polls: true}},
		"replies_go_to_whom_they_belong":       {{lastClient: true}, {onePort: true}, {newPort: true}},
		"nothing_lost_at_a_steady_rate":        {{loses: true}, {double: true}},
		"nothing_lost_by_an_old_error":         {{forgets: true}, {dies: true}, {repeats: true}},
		"every_size_alone":                     {{truncates: true}, {loseEmpty: true}, {fragments: true}},
		"every_size_in_a_row":                  {{truncates: true}, {loseEmpty: true}, {fragments: true}, {join: true}, {silent: true}},
		"empty_ones_are_datagrams":             {{loseEmpty: true}, {double: true}, {join: true}},
		"bursts_of_mixed_sizes":                {{tiny: true}, {truncates: true}, {loseEmpty: true}, {double: true}, {join: true}, {swapPairs: true}},
		"answers_without_an_order":             {{lastClient: true}, {onePort: true}, {silent: true}},
		"one_client_one_port":                  {{newPort: true}, {onePort: true}, {moves: true}},
		"a_client_that_comes_again_is_another": {{onePort: true}},
		"order_is_kept":                        {{swapPairs: true}},
		"the_server_goes_and_comes_back":       {{dies: true}, {deafened: true}, {forgets: true}, {repeats: true}},
		"the_server_comes_later":               {{deafened: true}}, // nobody can see that a session was another before
		"refuse":                               {{}},               // loses, and tells nobody
		"refuse_from_the_beginning":            {{}},
		"hold":                                 {{}},
	}
	for _, c := range slices.Concat(DatagramChecks(), DatagramDoors()) {
		fs := flaws[c.Name]
		if c.Name != "blackhole" && len(fs) == 0 {
			t.Errorf("no flaw is known for %s", c.Name)
		}
		delete(flaws, c.Name)
		for i, flaw := range fs {
			t.Run(fmt.Sprint(c, "/", i), func(t *testing.T) {
				if isDatagramScript(c) {
					t.Parallel() // waits, most of the time; the others look at the whole process or at the machine's speed
				}
				isFound(t, c, datagramEnv(t, "udp4", &flaw), fmt.Sprintf("%+v", flaw))
			})
		}
	}
	for name := range flaws {
		t.Errorf("no check has the name %q", name)
	}
	t.Run("a_door_that_does_not_close", func(t *testing.T) {
		e := datagramEnv(t, "udp4", &flawedDatagrams{})
		e.Door = func(string) error { return nil }
		isFound(t, datagramScript{0, "blackhole", datagramDoorScripts[3].text}.check(), e, "a door that does not close")
	})
	t.Run("answers_from_another_address", func(t *testing.T) {
		e := datagramEnv(t, "udp4", nil)
		e.Via = func(server string) string {
			front := flawedDatagrams{}.start(t, server, "0.0.0.0:0").front
			return net.JoinHostPort("127.0.0.53", fmt.Sprint(PortOf(front.LocalAddr())))
		}
		isFound(t, datagramScripts[0].check(), e, "answers from another address")
	})
}

// isDatagramScript reports whether a check is a script.
func isDatagramScript(c Check) bool {
	return slices.ContainsFunc(slices.Concat(datagramScripts, datagramDoorScripts), func(s datagramScript) bool { return s.name == c.Name })
}

// isFound runs a check until it fails. Some flaws show by chance.
func isFound(t *testing.T, c Check, e *Env, flaw string) {
	t.Helper()
	e.Patience = 250 * time.Millisecond
	for range 5 {
		if err := c.Run(e); err != nil {
			t.Log(err)
			return
		}
	}
	t.Errorf("passed five times by a forwarder with %s", flaw)
}

func TestParseDatagramsRefuses(t *testing.T) {
	for _, text := range []string{
		"nobody read 1", "client", "client dance", "client send", "client send x", "client send 1 to A", "server send 1", "server connect",
		"client listen", "client read x", "client send 1 now", "pause", "door", "door ajar", "client quiet",
	} {
		if _, err := parseDatagrams(&Env{}, text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}
