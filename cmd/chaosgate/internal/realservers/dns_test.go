//go:build linux

package realservers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const (
	zone = "example.test."
	// largestMessage is the most that clients say they take in one datagram.
	largestMessage = 4096
)

// A dnsServer answers questions about a zone, by UDP and by TCP on one port.
type dnsServer struct {
	addr  string
	asked atomic.Int64 // how many questions have reached it
	stop  func()       // ends it for datagrams
}

// startDNS starts a server that ends with the test.
func startDNS(t *testing.T) *dnsServer {
	t.Helper()
	notShort(t)
	pc, l := listenBoth(t)
	s := &dnsServer{addr: l.Addr().String()}
	s.serve(t, &dns.Server{Listener: l})
	s.stop = s.serve(t, &dns.Server{PacketConn: pc})
	return s
}

// serve has one socket's questions answered, until the test ends or the function is called that it returns.
func (s *dnsServer) serve(t *testing.T, server *dns.Server) (stop func()) {
	t.Helper()
	mux := dns.NewServeMux()
	mux.HandleFunc(zone, s.answer)
	started := make(chan struct{})
	server.Handler, server.NotifyStartedFunc = mux, func() { close(started) }
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }()
	select {
	case <-started:
	case err := <-ended:
		t.Fatalf("the DNS server does not start: %v", err)
	}
	running := true
	stop = func() {
		t.Helper()
		if !running {
			return
		}
		running = false
		if err := errors.Join(server.Shutdown(), <-ended); err != nil {
			t.Errorf("the DNS server does not end: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// listenAgain has the server answer datagrams as before, after it was stopped.
func (s *dnsServer) listenAgain(t *testing.T) {
	t.Helper()
	var pc net.PacketConn
	// The port may be lent to a client meanwhile.
	until(t, startsWithin, "the server's port is free again", func() bool {
		var err error
		pc, err = net.ListenPacket("udp", s.addr)
		return err == nil
	})
	s.stop = s.serve(t, &dns.Server{PacketConn: pc})
}

// answer answers a question, with what the client takes.
func (s *dnsServer) answer(w dns.ResponseWriter, asked *dns.Msg) {
	s.asked.Add(1)
	m := new(dns.Msg)
	m.SetReply(asked)
	for _, q := range asked.Question {
		m.Answer = append(m.Answer, wanted(q)...)
	}
	room := dns.MinMsgSize
	if options := asked.IsEdns0(); options != nil {
		room = int(options.UDPSize())
		m.SetEdns0(options.UDPSize(), false)
	}
	if w.LocalAddr().Network() != "tcp" {
		m.Truncate(room)
	}
	w.WriteMsg(m) // who asked may be gone
}

// wanted returns the only right answer to a question.
func wanted(q dns.Question) []dns.RR {
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 60}
	sum := sha256.Sum256([]byte(q.Name))
	switch q.Qtype {
	case dns.TypeA:
		return []dns.RR{&dns.A{Hdr: header, A: net.IP(sum[:net.IPv4len])}}
	case dns.TypeAAAA:
		return []dns.RR{&dns.AAAA{Hdr: header, AAAA: net.IP(sum[:net.IPv6len])}}
	case dns.TypeTXT:
		var length int
		fmt.Sscanf(q.Name, "%d.", &length) // of a name without a number it stays zero
		text := strings.Repeat(hex.EncodeToString(sum[:]), length/(2*len(sum))+1)[:length]
		rr := &dns.TXT{Hdr: header}
		for len(text) > 0 {
			n := min(len(text), 255) // what one string of a TXT record holds
			rr.Txt = append(rr.Txt, text[:n])
			text = text[n:]
		}
		return []dns.RR{rr}
	}
	return nil
}

// textOf asks for so many bytes of text.
func textOf(length, n int) dns.Question {
	return dns.Question{Name: fmt.Sprintf("%d.text%d.%s", length, n, zone), Qtype: dns.TypeTXT, Qclass: dns.ClassINET}
}

func addressOf(n int) dns.Question {
	return dns.Question{Name: fmt.Sprintf("host%d.%s", n, zone), Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

// ask makes the message with a question. Unless the room is zero the client says how large a datagram it takes.
func ask(q dns.Question, room uint16) *dns.Msg {
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Id: dns.Id(), RecursionDesired: true}, Question: []dns.Question{q}}
	if room > 0 {
		m.SetEdns0(room, false)
	}
	return m
}

// checkAnswer returns an error if a message is not the whole and right answer to a question.
func checkAnswer(q dns.Question, m *dns.Msg) error {
	want := wanted(q)
	switch {
	case m.Rcode != dns.RcodeSuccess || !m.Response:
		return fmt.Errorf("%w: the answer to %v is %v", errWrong, q, m)
	case len(m.Question) != 1 || m.Question[0] != q:
		return fmt.Errorf("%w: the question was %v, what is answered is %v", errWrong, q, m.Question)
	case m.Truncated:
		return fmt.Errorf("%w: the answer to %v is truncated", errWrong, q)
	case fmt.Sprint(m.Answer) != fmt.Sprint(want):
		return fmt.Errorf("%w: the answer to %v is %v, want %v", errWrong, q, m.Answer, want)
	}
	return nil
}

// dialDNS opens a client's socket and closes it with the test.
func dialDNS(t *testing.T, network, addr string) *dns.Conn {
	t.Helper()
	conn, err := dns.DialTimeout(network, addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	conn.UDPSize = largestMessage
	t.Cleanup(func() { conn.Close() })
	return conn
}
