package browser

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/client"
	"github.com/chaosgate/chaos/spec"
)

// shop is what screenshots show: gates as a shop would have them.
var shop = []struct {
	name               string
	toServer, toClient []string
	door               chaos.Door
	clients            int
}{
	{name: "accounts-db", clients: 6},
	{name: "broker", clients: 3, toServer: []string{"bandwidth rate=2MiB/s"}},
	{name: "cache", clients: 8, toClient: []string{"delay by=40ms jitter=15ms"}},
	{name: "mail", clients: 0, door: chaos.Refuse},
	{name: "orders-db", clients: 4, toClient: []string{"sometimes chance=20% limit bytes=64KiB reset"}, toServer: []string{"delay by=5ms"}},
	{name: "payments", clients: 2},
	{name: "search", clients: 5},
	{name: "stock", clients: 1, door: chaos.Hold},
}

// openShop creates the gates, and has clients that are busy until the test ends.
func openShop(t *testing.T, d *daemon) {
	t.Helper()
	server := echo(t)
	for _, s := range shop {
		g := d.gate(t, spec.Gate{Name: s.name, Server: server})
		for range s.clients {
			go chat(t.Context(), dial(t, g.Listen), time.Duration(20+len(s.name)*7)*time.Millisecond, 400*len(s.name))
		}
		impose := func(way chaos.Direction, lines []string) {
			for _, line := range lines {
				fault, err := spec.ParseFault(line)
				if err == nil {
					_, err = d.Add(t.Context(), client.Where{Gate: s.name, Direction: way}, spec.Entries{{Fault: fault, For: 10 * time.Minute}})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		impose(chaos.ToServer, s.toServer)
		impose(chaos.ToClient, s.toClient)
		if _, err := d.SetDoor(t.Context(), s.name, client.DoorSetting{Door: s.door}); err != nil {
			t.Fatal(err)
		}
	}
}

// chat sends something now and then, and reads what comes back, until it cannot any more.
func chat(ctx context.Context, c net.Conn, pause time.Duration, size int) {
	data := make([]byte, size)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := size/2 + (i*37)%(size/2+1)
		if _, err := c.Write(data[:n]); err != nil {
			return
		}
		for got := 0; got < n; {
			m, err := c.Read(data)
			if err != nil {
				return
			}
			got += m
		}
	}
}

// TestScreenshots makes the screenshots that docs show, for eyes to judge.
func TestScreenshots(t *testing.T) {
	to := os.Getenv("CHAOSGATE_SHOTS")
	if to == "" {
		t.Skip("screenshots are made when $CHAOSGATE_SHOTS is a folder for them")
	}
	d := serve(t, "127.0.0.1:0")
	p := open(t, d.url)
	shoot := func(name string, width, height int64, dark bool) {
		scheme := "light"
		if dark {
			scheme = "dark"
		}
		p.size(width, height)
		call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		p.do(chromedp.Sleep(1200 * time.Millisecond)) // for the next figures
		data, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err == nil {
			data, err = small(data)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.sees("body", "No gates yet")
	shoot("empty", 1024, 700, false)
	openShop(t, d)
	time.Sleep(45 * time.Second) // for curves worth looking at
	p.show("#gate=cache")
	p.sees(".gate", "Impose a fault")
	p.click("#impose", "Impose")
	time.Sleep(12 * time.Second)
	sizes := []struct {
		width, height int64
	}{{390, 844}, {1024, 800}, {1600, 950}}
	for _, size := range sizes {
		for _, dark := range []bool{false, true} {
			p.show("")
			shoot("gates", size.width, size.height, dark)
			p.show("#gate=cache")
			shoot("faults", size.width, size.height, dark)
		}
		p.show("#gate=cache&tab=conns")
		shoot("conns", size.width, size.height, false)
		p.show("#gate=orders-db&tab=events")
		shoot("events", size.width, size.height, true)
	}
	p.show("#gate=orders-db&kind=sometimes")
	shoot("selector", 1024, 1000, false)
	p.click(".impose .copy", "")
	shoot("copy", 1024, 800, true)
}
