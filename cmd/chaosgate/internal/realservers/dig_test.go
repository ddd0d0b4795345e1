//go:build linux

package realservers

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/chaosgate/chaos/chaostest"
	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// startDnsmasq starts dnsmasq with some records of its own, or skips the test where it or dig is not installed.
func startDnsmasq(t *testing.T) (addr string) {
	t.Helper()
	notShort(t)
	if _, err := exec.LookPath("dig"); err != nil {
		t.Skip("dig is missing: Debian package bind9-dnsutils")
	}
	// An account's PATH may lack the folder where Debian has it.
	path, err := exec.LookPath("dnsmasq")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/dnsmasq")
	}
	if err != nil {
		t.Skip("dnsmasq is missing: Debian package dnsmasq-base")
	}
	return launch(t, folder(t), path, func(port string) []string {
		return []string{
			"--no-daemon", "--conf-file=/dev/null", "--pid-file", "--no-resolv", "--no-hosts", "--port=" + port,
			"--listen-address=127.0.0.1", "--bind-interfaces", "--edns-packet-max=4096", "--local=/example.test/",
			"--host-record=host.example.test,192.0.2.7,2001:db8::7", "--address=/wild.example.test/192.0.2.8",
			"--cname=alias.example.test,host.example.test", "--mx-host=example.test,mail.example.test,10",
			"--srv-host=_ldap._tcp.example.test,mail.example.test,389,1,2", "--host-record=mail.example.test,192.0.2.9", "--txt-record=short.example.test,v=spf1 -all",
			"--txt-record=long.example.test" + strings.Repeat(","+strings.Repeat("long text ", 25), 4),
		}
	}, func(ctx context.Context, addr string) error {
		client := &dns.Client{Timeout: clientTimeout}
		m := new(dns.Msg)
		_, _, err := client.ExchangeContext(ctx, m.SetQuestion("host.example.test.", dns.TypeA), addr)
		return err
	}, syscall.SIGTERM) // it takes SIGINT for a failure
}

// digs are what dig is asked.
var digs = []string{
	"host.example.test A",
	"host.example.test AAAA",
	"any.wild.example.test A",
	"alias.example.test A",
	"example.test MX",
	"_ldap._tcp.example.test SRV",
	"-x 192.0.2.7",
	"short.example.test TXT",
	"long.example.test TXT +bufsize=4096",
	"long.example.test TXT +noedns", // is truncated, so that dig goes on by TCP
	"absent.example.test A",
	"elsewhere.test A",
}

// TestDig compares what dig prints when it asks dnsmasq directly and through a gate.
func TestDig(t *testing.T) {
	t.Parallel()
	addr := startDnsmasq(t)
	datagrams, streams := gatePair(t, addr)
	for _, question := range digs {
		t.Run(question, func(t *testing.T) {
			direct := dig(t, addr, question)
			if !strings.Contains(direct, ";; ->>HEADER<<-") {
				t.Fatalf("without a gate dig says:\n%s", direct)
			}
			if diff := cmp.Diff(direct, dig(t, datagrams.Addr(), question)); diff != "" {
				t.Errorf("what dig prints (-directly +through the gate):\n%s", diff)
			}
		})
	}
	nothingLost(t, datagrams)
	if got := streams.Stats().Accepted; got != 1 {
		t.Errorf("got %d connections by TCP, want 1, after the answer that was truncated", got)
	}
}

// TestDigTriesAgain takes the first datagrams from dig.
func TestDigTriesAgain(t *testing.T) {
	t.Parallel()
	for _, test := range lossesOfDig {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			addr := startDnsmasq(t)
			g := datagramGate(t, addr)
			imposed := test.impose(g)
			const question = "host.example.test A"
			if diff := cmp.Diff(dig(t, addr, question), dig(t, g.Addr(), question+" +timeout=1 +tries=5")); diff != "" {
				t.Errorf("what dig prints (-directly +through the gate):\n%s", diff)
			}
			chaostest.Fired(t, imposed)
			if got := g.Stats().Lost; got != 1 {
				t.Errorf("got %d datagrams lost, want 1", got)
			}
		})
	}
}

// varying is what differs in dig's output from one run to the next, tells which server it has asked, or that it has asked again.
var varying = regexp.MustCompile(`(?m)^;; (Query time|SERVER|WHEN|communications error).*\n|^; <<>> DiG.*\n|, id: \d+|^; COOKIE: .*\n`)

// dig returns what dig prints about a question, but for what varies.
func dig(t *testing.T, addr, question string) string {
	t.Helper()
	at, port, _ := strings.Cut(addr, ":")
	args := append([]string{"-r", "@" + at, "-p", port}, strings.Fields(question)...)
	cmd := exec.CommandContext(t.Context(), "dig", args...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, out)
	}
	return varying.ReplaceAllString(string(out), "")
}
