//go:build linux

package realservers

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// quicWithin is how long a transfer may take, and how long a peer may hear nothing: long enough for all faults at once on two cores
// that do other things as well.
const quicWithin = 150 * time.Second

const quicName = "transfer.test"

var quicConfig = &quic.Config{HandshakeIdleTimeout: quicWithin, MaxIdleTimeout: quicWithin}

// A quicServer takes one connection with one stream, on which it receives a body while it sends another.
type quicServer struct {
	addr      string
	trusts    *x509.CertPool  // what a client is to trust
	connected chan *quic.Conn // the one connection
	ended     chan error      // how its stream has ended
}

// startQUIC starts a server that ends with the test.
func startQUIC(t *testing.T) *quicServer {
	t.Helper()
	notShort(t)
	certificate, trusts := selfSigned(t)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{quicName}}
	listener, err := quicTransport(t).Listen(config, quicConfig)
	if err != nil {
		t.Fatal(err)
	}
	s := &quicServer{
		addr: listener.Addr().String(), trusts: trusts,
		connected: make(chan *quic.Conn, 1), ended: make(chan error, 1),
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		s.ended <- s.serve(ctx, listener)
	}()
	t.Cleanup(func() {
		cancel()
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		<-gone
	})
	return s
}

func (s *quicServer) serve(ctx context.Context, listener *quic.Listener) error {
	conn, err := listener.Accept(ctx)
	if err != nil {
		return err
	}
	// A test that has failed may leave the stream in the middle.
	context.AfterFunc(ctx, func() { conn.CloseWithError(0, "the test has ended") })
	s.connected <- conn
	stream, err := conn.AcceptStream(ctx)
	if err != nil {
		return err
	}
	return exchange(stream, "to the client", "to the server", nil)
}

// connect connects a client to an address, and returns its connection and the server's.
func (s *quicServer) connect(ctx context.Context, t *testing.T, addr string) (client, server *quic.Conn) {
	t.Helper()
	at, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: s.trusts, ServerName: quicName, NextProtos: []string{quicName}}
	if client, err = quicTransport(t).Dial(ctx, at, config, quicConfig); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.CloseWithError(0, "the client has ended") })
	select {
	case server = <-s.connected:
	case <-ctx.Done():
		t.Fatal("the client is connected and the server has not heard of it")
	}
	return client, server
}

// quicTransport opens a socket for QUIC and closes it with the test.
func quicTransport(t *testing.T) *quic.Transport {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	transport := &quic.Transport{Conn: pc}
	t.Cleanup(func() {
		if err := errors.Join(transport.Close(), pc.Close()); err != nil {
			t.Error(err)
		}
	})
	return transport
}

// selfSigned makes a certificate, and a pool in which it is the only one.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{quicName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, pool
}
