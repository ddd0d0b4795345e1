//go:build linux

package realservers

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// bodySize is how much is transferred each way.
const bodySize = 10 << 20

// body returns a body, which differs from that of another name in every place.
func body(name string) io.Reader {
	return io.LimitReader(rand.NewChaCha8(sha256.Sum256([]byte(name))), bodySize)
}

// exchange sends a body while it receives another, and returns an error if that is not the one that is expected, or not whole. In the
// middle of its own it calls a function, unless that is nil.
func exchange(stream *quic.Stream, sends, expects string, middle func()) error {
	received := make(chan error, 1)
	go func() { received <- receive(stream, expects) }()
	if err := send(stream, body(sends), middle); err != nil {
		return err
	}
	return <-received
}

func send(stream *quic.Stream, whole io.Reader, middle func()) error {
	_, err := io.CopyN(stream, whole, bodySize/2)
	if err != nil {
		return err
	}
	if middle != nil {
		middle()
	}
	if _, err := io.Copy(stream, whole); err != nil {
		return err
	}
	return stream.Close()
}

func receive(stream *quic.Stream, expects string) error {
	got, want := sha256.New(), sha256.New()
	n, err := io.Copy(got, stream)
	if err != nil {
		return fmt.Errorf("after %d bytes %s: %w", n, expects, err)
	}
	if _, err := io.Copy(want, body(expects)); err != nil {
		return err
	}
	if n != bodySize || [sha256.Size]byte(got.Sum(nil)) != [sha256.Size]byte(want.Sum(nil)) {
		return fmt.Errorf("%w: %d bytes %s, with hash %x; want %d with %x", errWrong, n, expects, got.Sum(nil), bodySize, want.Sum(nil))
	}
	return nil
}

// transferOverQUIC has a client exchange bodies with the server, and calls a function in the middle, unless it is nil. Afterwards the connection
// is still there, for the server to tell about it.
func transferOverQUIC(t *testing.T, s *quicServer, addr string, middle func(server *quic.Conn)) (server *quic.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), quicWithin)
	t.Cleanup(cancel)
	begin := time.Now()
	client, server := s.connect(ctx, t, addr)
	// Whatever waits for a stream ends with its connection.
	context.AfterFunc(ctx, func() { client.CloseWithError(1, "not in time, or the test has ended") })
	stream, err := client.OpenStreamSync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := exchange(stream, "to the server", "to the client", func() {
		if middle != nil {
			middle(server)
		}
	}); err != nil {
		t.Fatalf("the client, after %v: %v", time.Since(begin), err)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Fatalf("the server, after %v: %v", time.Since(begin), err)
		}
	case <-ctx.Done():
		t.Fatalf("the server has not received all after %v", time.Since(begin))
	}
	up, down := client.ConnectionStats(), server.ConnectionStats()
	t.Logf("%d MiB each way in %v; of %d packets to the server %d were held for lost, of %d to the client %d; round trips of %v and more",
		bodySize>>20, time.Since(begin).Round(time.Millisecond), up.PacketsSent, up.PacketsLost, down.PacketsSent, down.PacketsLost,
		up.MinRTT.Round(time.Microsecond))
	return server
}
