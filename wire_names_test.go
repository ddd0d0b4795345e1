//go:build linux

package chaos_test

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// nameServer answers every question for an IPv4 address with 127.0.0.n, and every other with nothing (RFC 1035, section 4).
type nameServer struct {
	conn   net.PacketConn
	answer atomic.Uint32 // n
}

// fakeNames starts a name server that ends with the test.
func fakeNames(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn}
	var serving sync.WaitGroup
	serving.Go(s.serve)
	t.Cleanup(func() {
		conn.Close()
		serving.Wait()
	})
	return s
}

// dial fits net.Resolver: whoever is to be asked, this one is.
func (s *nameServer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "udp4", s.conn.LocalAddr().String())
}

func (s *nameServer) serve() {
	buf := make([]byte, 512)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := s.reply(buf[:n]); reply != nil {
			_, _ = s.conn.WriteTo(reply, from) // a lost answer is asked for again
		}
	}
}

// reply answers one question.
func (s *nameServer) reply(query []byte) []byte {
	end := 12 // behind the header
	for end < len(query) && query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the root label, type and class
	if end > len(query) {
		return nil
	}
	reply := append([]byte(nil), query[:end]...)
	binary.BigEndian.PutUint16(reply[2:], 0x8180) // a response, recursion available, no error
	binary.BigEndian.PutUint16(reply[4:], 1)      // one question
	copy(reply[6:12], make([]byte, 6))            // no records
	if binary.BigEndian.Uint16(query[end-4:]) != 1 {
		return reply
	}
	reply[7] = 1                                // one answer:
	reply = append(reply, 0xc0, 12, 0, 1, 0, 1) // the name of the question, type A, class IN
	reply = append(reply, 0, 0, 0, 0, 0, 4)     // not to be kept; four bytes
	return append(reply, 127, 0, 0, byte(s.answer.Load()))
}
