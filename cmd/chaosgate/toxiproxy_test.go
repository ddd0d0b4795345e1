package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/google/go-cmp/cmp"
)

// startToxiproxy starts the program as Toxiproxy's server, on a free port.
func startToxiproxy(t *testing.T, args ...string) *daemonProcess {
	t.Helper()
	d := daemonCommand(t)
	d.cmd.Args = append([]string{"toxiproxy-server", "-port=0"}, args...) // see TestMain
	d.cmd.Stdout = d.log
	d.start()
	d.awaitReady()
	return d
}

// A pair is an upstream and a client of it through a proxy.
type pair struct {
	t        *testing.T
	upstream net.Listener
	listen   string
}

func newUpstream(t *testing.T) net.Listener {
	t.Helper()
	upstream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { upstream.Close() })
	return upstream
}

// connect connects a client through to the upstream.
func (p pair) connect() (client, server *net.TCPConn) {
	p.t.Helper()
	c, err := net.Dial("tcp", p.listen)
	if err != nil {
		p.t.Fatal(err)
	}
	s, err := p.upstream.Accept()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.Close(); s.Close() })
	for _, conn := range []net.Conn{c, s} {
		conn.SetDeadline(time.Now().Add(patience))
	}
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// takes returns how long so many bytes take from one end to the other.
func (p pair) takes(from, to net.Conn, size int) time.Duration {
	p.t.Helper()
	began := time.Now()
	go from.Write(make([]byte, size)) // an error is one of reading, too
	if _, err := io.ReadFull(to, make([]byte, size)); err != nil {
		p.t.Fatal(err)
	}
	return time.Since(began)
}

// measured fails the test unless what is measured comes as close to what is wanted as it must in one of many tries: a machine that is busy makes
// things late, and a proxy that is wrong makes all of them wrong. Nothing may be early.
func measured(t *testing.T, what string, want, tolerance time.Duration, measure func() time.Duration) {
	t.Helper()
	best := time.Duration(-1)
	for range 20 {
		got := measure()
		if got < want-tolerance/10-time.Millisecond {
			t.Errorf("%s: took %v, want %v", what, got, want)
			return
		}
		if best < 0 || got < best {
			best = got
		}
		if best <= want+tolerance {
			return
		}
	}
	t.Errorf("%s: took %v at best, want %v and at most %v more", what, best, want, tolerance)
}

// ended returns how a connection ends, and how many bytes came before.
func ended(conn net.Conn) (n int64, how string) {
	n, err := io.Copy(io.Discard, conn)
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return n, "reset"
	case err != nil:
		return n, err.Error()
	}
	return n, "end"
}

// TestToxiproxyGoClient drives every endpoint and every toxic by Toxiproxy's own client for Go.
func TestToxiproxyGoClient(t *testing.T) {
	d := startToxiproxy(t)
	client := toxiproxy.NewClient(d.url)
	upstream := newUpstream(t)
	proxy, err := client.CreateProxy("redis", "localhost:0", upstream.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := pair{t, upstream, proxy.Listen}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	t.Run("a proxy", func(t *testing.T) {
		if _, err := client.CreateProxy("redis", "localhost:0", "x"); err == nil || err.Error() != "Create: HTTP 409: proxy already exists" {
			t.Errorf("created again: got %v", err)
		}
		if _, err := client.Proxy("none"); err == nil || err.Error() != "Proxy: HTTP 404: proxy not found" {
			t.Errorf("one that is not there: got %v", err)
		}
		a, server := p.connect()
		must(proxy.Disable())
		if _, how := ended(a); how != "end" {
			t.Errorf("disabled: a connection has got %s, want its end", how)
		}
		server.Close()
		if _, err := net.Dial("tcp", p.listen); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("disabled: got %v, want to be refused", err)
		}
		must(proxy.Enable())
		is, err := client.Proxy("redis")
		must(err)
		if is.Listen != p.listen || !is.Enabled {
			t.Errorf("enabled again: got %+v, want it at %s as before", is, p.listen)
		}
		a, server = p.connect()
		p.takes(a, server, 1)
		other := newUpstream(t)
		is.Upstream = other.Addr().String()
		must(is.Save())
		a, server = pair{t, other, p.listen}.connect()
		p.takes(a, server, 1)
		is.Upstream = upstream.Addr().String()
		must(is.Save())
	})

	t.Run("populate and reset", func(t *testing.T) {
		made, err := client.Populate([]toxiproxy.Proxy{{Name: "one", Listen: "localhost:0", Upstream: "a:1"}, {Name: "two", Listen: "localhost:0", Upstream: "b:1", Enabled: true}})
		must(err)
		if len(made) != 2 {
			t.Errorf("got %d proxies, want 2", len(made))
		}
		all, err := client.Proxies()
		must(err)
		if len(all) != 3 || all["redis"] == nil {
			t.Errorf("got %v, want three proxies", all)
		}
		if _, err := all["two"].AddToxic("", "latency", "", 1, toxiproxy.Attributes{"latency": 1}); err != nil {
			t.Error(err)
		}
		must(client.ResetState())
		toxics, err := all["two"].Toxics()
		must(err)
		if len(toxics) > 0 {
			t.Errorf("after a reset: got %v", toxics)
		}
		for _, name := range []string{"one", "two"} {
			must(all[name].Delete())
		}
		if err := all["two"].Delete(); err == nil || err.Error() != "Delete: HTTP 404: proxy not found" {
			t.Errorf("deleted again: got %v", err)
		}
	})

	t.Run("toxics", func(t *testing.T) {
		made, err := client.AddToxic(&toxiproxy.ToxicOptions{ProxyName: "redis", ToxicName: "slow", ToxicType: "latency", Stream: "upstream", Toxicity: 0.5, Attributes: toxiproxy.Attributes{"latency": 5}})
		must(err)
		want := &toxiproxy.Toxic{Name: "slow", Type: "latency", Stream: "upstream", Toxicity: 0.5, Attributes: toxiproxy.Attributes{"latency": 5., "jitter": 0.}}
		if diff := cmp.Diff(want, made); diff != "" {
			t.Errorf("added (-want +got):\n%s", diff)
		}
		made, err = client.UpdateToxic(&toxiproxy.ToxicOptions{ProxyName: "redis", ToxicName: "slow", Toxicity: 1, Attributes: toxiproxy.Attributes{"jitter": 3}})
		must(err)
		want.Toxicity, want.Attributes["jitter"] = 1, 3.
		if diff := cmp.Diff(want, made); diff != "" {
			t.Errorf("updated (-want +got):\n%s", diff)
		}
		if _, err := proxy.AddToxic("slow", "latency", "", 1, nil); err == nil || err.Error() != "AddToxic: HTTP 409: toxic already exists" {
			t.Errorf("added again: got %v", err)
		}
		if _, err := proxy.AddToxic("bad", "bandwidth", "", 1, toxiproxy.Attributes{"rate": -1}); err == nil || !strings.Contains(err.Error(), "HTTP 400: rate: got -1") {
			t.Errorf("a bad attribute: got %v", err)
		}
		must(client.RemoveToxic(&toxiproxy.ToxicOptions{ProxyName: "redis", ToxicName: "slow"}))
		if err := proxy.RemoveToxic("slow"); err == nil || err.Error() != "RemoveToxic: HTTP 404: toxic not found" {
			t.Errorf("removed again: got %v", err)
		}
	})

	for _, stream := range []string{"upstream", "downstream"} {
		t.Run(stream, func(t *testing.T) {
			p := pair{t, upstream, p.listen}
			// with has a toxic while f looks at a connection, whose first end is the one that the stream comes from.
			with := func(kind string, attributes toxiproxy.Attributes, f func(t *testing.T, from, to *net.TCPConn)) {
				t.Helper()
				t.Run(kind, func(t *testing.T) {
					_, err := proxy.AddToxic("it", kind, stream, 1, attributes)
					must(err)
					defer func() { must(proxy.RemoveToxic("it")) }()
					from, to := p.connect()
					if stream == "downstream" {
						from, to = to, from
					}
					f(t, from, to)
				})
			}
			with("noop", nil, func(t *testing.T, from, to *net.TCPConn) { p.takes(from, to, 1000) })
			with("latency", toxiproxy.Attributes{"latency": 100}, func(t *testing.T, from, to *net.TCPConn) {
				measured(t, "there", 100*time.Millisecond, 10*time.Millisecond, func() time.Duration { return p.takes(from, to, 1) })
				measured(t, "back", 0, 10*time.Millisecond, func() time.Duration { return p.takes(to, from, 1) })
			})
			with("bandwidth", toxiproxy.Attributes{"rate": 1000}, func(t *testing.T, from, to *net.TCPConn) {
				// Within 1 % of a second: after a pause 10 ms of the rate may pass at once.
				measured(t, "1 MB at 1 MB/s", 990*time.Millisecond, 20*time.Millisecond, func() time.Duration { return p.takes(from, to, 1_000_000) })
			})
			with("slow_close", toxiproxy.Attributes{"delay": 200}, func(t *testing.T, from, to *net.TCPConn) {
				measured(t, "data", 0, 10*time.Millisecond, func() time.Duration { return p.takes(from, to, 1) })
				began := time.Now()
				from.CloseWrite()
				if n, how := ended(to); n != 0 || how != "end" || time.Since(began) < 200*time.Millisecond {
					t.Errorf("got %d bytes and %s after %v, want the end after 200ms", n, how, time.Since(began))
				}
			})
			with("timeout", toxiproxy.Attributes{"timeout": 200}, func(t *testing.T, from, to *net.TCPConn) {
				began := time.Now()
				from.Write([]byte("lost"))
				if n, how := ended(to); n != 0 || how != "end" || time.Since(began) < 200*time.Millisecond {
					t.Errorf("got %d bytes and %s after %v, want the end after 200ms", n, how, time.Since(began))
				}
			})
			with("reset_peer", toxiproxy.Attributes{"timeout": 100}, func(t *testing.T, from, to *net.TCPConn) {
				for name, conn := range map[string]net.Conn{"from": from, "to": to} {
					if _, how := ended(conn); how != "reset" {
						t.Errorf("%s: got %s, want a reset", name, how)
					}
				}
			})
			with("limit_data", toxiproxy.Attributes{"bytes": 1234}, func(t *testing.T, from, to *net.TCPConn) {
				from.Write(make([]byte, 5000))
				if n, how := ended(to); n != 1234 || how != "end" {
					t.Errorf("got %d bytes and %s, want 1234 and the end", n, how)
				}
			})
			with("slicer", toxiproxy.Attributes{"average_size": 10, "delay": 20_000}, func(t *testing.T, from, to *net.TCPConn) {
				from.Write(make([]byte, 50))
				for range 5 {
					if n, err := to.Read(make([]byte, 100)); n != 10 || err != nil {
						t.Errorf("got %d bytes at once and %v, want 10", n, err)
					}
				}
			})
		})
	}

	t.Run("toxicity", func(t *testing.T) {
		for _, share := range []float32{0, 1} {
			_, err := proxy.AddToxic("some", "limit_data", "", share, toxiproxy.Attributes{"bytes": 1})
			must(err)
			for range 10 {
				c, s := pair{t, upstream, p.listen}.connect()
				s.Write([]byte("ab"))
				s.Close()
				if n, _ := ended(c); n != 2-int64(share) {
					t.Errorf("toxicity %g: got %d bytes", share, n)
				}
			}
			must(proxy.RemoveToxic("some"))
		}
	})
}

// TestToxiproxyContainer starts the server as Testcontainers does, and cuts a connection as it does.
func TestToxiproxyContainer(t *testing.T) {
	upstream := newUpstream(t)
	config := filepath.Join(t.TempDir(), "toxiproxy.json")
	writeFile(t, config, fmt.Sprintf(`[{"name":"redis","listen":"0.0.0.0:%s","upstream":%q}]`, port(t, freeAddress(t)), upstream.Addr()))
	d := startToxiproxy(t, "-host=0.0.0.0", "-config="+config)
	_, apiPort, _ := net.SplitHostPort(strings.TrimPrefix(d.url, "http://"))
	answer, err := http.Get("http://127.0.0.1:" + apiPort + "/version")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK || string(body) != "{\"version\": \"2.12.0\"}\n" {
		t.Errorf("version: got %d %s", answer.StatusCode, body)
	}
	client := toxiproxy.NewClient("127.0.0.1:" + apiPort)
	proxy, err := client.Proxy("redis")
	if err != nil {
		t.Fatal(err)
	}
	p := pair{t, upstream, "127.0.0.1:" + port(t, proxy.Listen)}
	c, s := p.connect()
	for _, stream := range []string{"downstream", "upstream"} {
		if _, err := proxy.AddToxic("CUT_CONNECTION_"+strings.ToUpper(stream), "bandwidth", stream, 1, toxiproxy.Attributes{"rate": 0}); err != nil {
			t.Fatal(err)
		}
	}
	sent := bytes.Repeat([]byte("0123456789"), 10_000)
	go c.Write(sent)
	s.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := s.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("cut: got %d bytes and %v", n, err)
	}
	s.SetReadDeadline(time.Now().Add(patience))
	for _, stream := range []string{"DOWNSTREAM", "UPSTREAM"} {
		if err := proxy.RemoveToxic("CUT_CONNECTION_" + stream); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("restored: got %v, want all bytes as they were", err)
	}
	d.signal(syscall.SIGTERM)
	d.awaitExit(0)
}

// freeAddress returns an address at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
