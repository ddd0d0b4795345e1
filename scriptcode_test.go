package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/chaostest"
)

// edited is an Edit that a script can name.
type edited struct {
	Code string `json:"code" need:"true" help:"a name of edits"`
}

// passed is a Through that a script can name.
type passed struct {
	Code string `json:"code" need:"true" help:"a name of throughs"`
}

func init() {
	chaos.Register("edit_by", "A test's own function.", edited{})
	chaos.Register("through_by", "A test's own function.", passed{})
}

func (e edited) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return edits[e.Code].Impose(st, next)
}

func (p passed) Impose(st *chaos.Stage, next chaos.Sink) chaos.Sink {
	return throughs[p.Code].Impose(st, next)
}

var edits = map[string]chaos.Edit{
	"upper": bytes.ToUpper,
	"same":  func(data []byte) []byte { return data },
	"tail":  func(data []byte) []byte { return data[1:] },
	"twice": func(data []byte) []byte { return append(data, data...) },
	"none":  func([]byte) []byte { return nil },
	"empty": func(data []byte) []byte { return data[:0] },
	"panic": func(data []byte) []byte { panic("cannot edit " + string(data)) },
}

var throughs = map[string]chaos.Through{
	// upper writes what it reads in capitals, at once.
	"upper": func(dst io.Writer, src io.Reader) error { return copyChanged(dst, src, bytes.ToUpper) },
	// lower writes what it reads in small letters, at once.
	"lower": func(dst io.Writer, src io.Reader) error { return copyChanged(dst, src, bytes.ToLower) },
	// late writes what it reads a second later, one read after the other.
	"late": func(dst io.Writer, src io.Reader) error {
		return copyChanged(dst, src, func(data []byte) []byte {
			time.Sleep(time.Second) // in virtual time, as a slow function would
			return data
		})
	},
	// slow writes up to 30000 bytes each second.
	"slow": func(dst io.Writer, src io.Reader) error {
		buf := make([]byte, 30_000)
		for {
			n, err := src.Read(buf)
			if err != nil {
				return err
			}
			time.Sleep(time.Second) // in virtual time
			dst.Write(buf[:n])
		}
	},
	// all writes everything once it has read it.
	"all": func(dst io.Writer, src io.Reader) error {
		data, err := io.ReadAll(src)
		if err == nil {
			_, err = dst.Write(append([]byte("all:"), data...))
		}
		return err
	},
	// one writes the first thing that it reads, and is done.
	"one": func(dst io.Writer, src io.Reader) error {
		buf := make([]byte, 100)
		n, err := src.Read(buf)
		if err == nil {
			_, err = dst.Write(buf[:n])
		}
		return err
	},
	// fail writes the first thing that it reads, and fails.
	"fail": func(dst io.Writer, src io.Reader) error {
		buf := make([]byte, 100)
		n, _ := src.Read(buf)
		dst.Write(buf[:n])
		return errors.New("seen enough")
	},
	"panic": func(_ io.Writer, src io.Reader) error {
		src.Read(make([]byte, 100))
		panic("seen too much")
	},
	"exit": func(_ io.Writer, src io.Reader) error {
		src.Read(make([]byte, 100))
		runtime.Goexit() // as t.Fatal does
		return nil
	},
	// deaf reads nothing and does not return, whatever happens, for an hour.
	"deaf": func(io.Writer, io.Reader) error {
		time.Sleep(time.Hour) // in virtual time: the bubble's end waits for it
		return nil
	},
	// flood writes much more than it reads.
	"flood": func(dst io.Writer, src io.Reader) error {
		if _, err := src.Read(make([]byte, 100)); err != nil {
			return err
		}
		_, err := dst.Write(bytes.Repeat([]byte("f"), 300_000))
		return err
	},
}

// copyChanged copies, at each read, what change makes of it.
func copyChanged(dst io.Writer, src io.Reader, change func([]byte) []byte) error {
	buf := make([]byte, 4<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, err := dst.Write(change(buf[:n])); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// detours has the addresses served that scripts name: port 1 answers in capitals, port 2 resets, nobody listens on port 9.
func detours(t *testing.T, g *chaos.Gate) (end func()) {
	network := chaostest.NewNetwork()
	g.ListenFunc, g.DialContext = network.Listen, network.Dial
	var served sync.WaitGroup
	serve := func(address string, f func(net.Conn)) net.Listener {
		l, err := network.Listen(context.Background(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		served.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				served.Go(func() {
					defer conn.Close()
					f(conn)
				})
			}
		})
		return l
	}
	upper := serve("127.0.0.1:1", func(c net.Conn) { copyChanged(c, c, bytes.ToUpper) })
	reset := serve("127.0.0.1:2", func(c net.Conn) {
		c.Read(make([]byte, 100))
		c.(interface{ SetLinger(int) error }).SetLinger(0)
	})
	return func() {
		upper.Close()
		reset.Close()
		served.Wait()
	}
}
