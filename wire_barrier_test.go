//go:build linux

package chaos_test

import (
	"bytes"
	"context"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// mark is a change that shows in every byte below 128.
func mark(b []byte) []byte {
	for i := range b {
		b[i] |= 0x80
	}
	return b
}

// TestWireBarrier is row 38: after Set has returned, no byte is treated the old way. What is written in that very moment tells.
func TestWireBarrier(t *testing.T) {
	tests := []struct {
		name string
		run  func(t *testing.T, p *wirePair)
	}{
		{"edit", barrierEdit},
		{"edit_on_one_connection", barrierEditConn},
		{"edit_among_other_connections", barrierEditAmongOthers},
		{"edit_amid_bulk", barrierEditBulk},
		{"discard", barrierDiscard},
		{"close_on_data", barrierCloseOnData},
		{"new_connection", barrierNewConnection},
	}
	for _, tt := range tests {
		t.Run("row38_"+tt.name, func(t *testing.T) {
			leavesNothing(t)
			p := newWirePair(t)
			end := time.Now().Add(2 * time.Minute)
			_ = p.client.SetDeadline(end)
			_ = p.server.SetDeadline(end)
			tt.run(t, p)
		})
	}
}

// rounds counts to n. Unless in a soak run it stops after a second and a half, which is n rounds on a machine that is not busy and
// does not look for races, but not before 200.
func rounds(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		start := time.Now()
		for i := range n {
			if !soak && i >= 200 && time.Since(start) > 1500*time.Millisecond || !yield(i) {
				return
			}
		}
	}
}

// setAndLift imposes mark, sends a byte, lifts it and sends another; either way each must be treated the new way.
func setAndLift(t *testing.T, p *wirePair, set func(...chaos.Fault) []*chaos.Imposed, round int) {
	t.Helper()
	set(chaos.Edit(mark))
	write(t, p.client, []byte("a"))
	var b [1]byte
	if _, err := io.ReadFull(p.server, b[:]); err != nil || b[0] != 'a'|0x80 {
		t.Fatalf("round %d: the byte written after Set came as %q, %v", round, b[0], err)
	}
	set()
	write(t, p.client, []byte("b"))
	if _, err := io.ReadFull(p.server, b[:]); err != nil || b[0] != 'b' {
		t.Fatalf("round %d: the byte written after it was lifted came as %q, %v", round, b[0], err)
	}
}

func barrierEdit(t *testing.T, p *wirePair) {
	for i := range rounds(20_000) {
		setAndLift(t, p, p.gate.ToServer.Set, i)
	}
}

func barrierEditConn(t *testing.T, p *wirePair) {
	conn := p.gate.Conns()[0]
	for i := range rounds(20_000) {
		setAndLift(t, p, conn.ToServer.Set, i)
	}
}

func barrierEditAmongOthers(t *testing.T, p *wirePair) {
	for range 20 {
		p.connect(t)
	}
	for i := range rounds(20_000) {
		setAndLift(t, p, p.gate.ToServer.Set, i)
	}
}

// barrierEditBulk switches while the gate is busy with what was written before: that may go either way, what is written after
// may not.
func barrierEditBulk(t *testing.T, p *wirePair) {
	before, after := bytes.Repeat([]byte("o"), 200_000), bytes.Repeat([]byte("n"), 10_000)
	got := make([]byte, len(before)+len(after))
	for i := range rounds(1000) {
		for _, faults := range [][]chaos.Fault{{chaos.Edit(mark)}, nil} {
			read := make(chan error, 1) // what came of the reading
			go func() {
				_, err := io.ReadFull(p.server, got)
				read <- err
			}()
			write(t, p.client, before)
			p.gate.ToServer.Set(faults...)
			write(t, p.client, after)
			if err := <-read; err != nil {
				t.Fatal(err)
			}
			want := byte('n')
			if faults != nil {
				want |= 0x80
			}
			if n := bytes.Count(got[len(before):], []byte{want}); n != len(after) {
				t.Fatalf("round %d: of %d bytes written after Set %d were treated the new way", i, len(after), n)
			}
		}
	}
}

func barrierDiscard(t *testing.T, p *wirePair) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for i := range rounds(20_000) {
		imposed := p.gate.ToServer.Set(chaos.Discard{Resume: true})
		write(t, p.client, []byte("x"))
		// What waits unread when the fault is lifted passes, and rightly so.
		if err := imposed[0].Wait(ctx, 1); err != nil {
			t.Fatalf("round %d: the byte written after Set was not discarded: %v", i, err)
		}
		p.gate.ToServer.Set()
		write(t, p.client, []byte("y"))
		wantByte(t, p.server, 'y')
	}
}

func barrierCloseOnData(t *testing.T, p *wirePair) {
	for i := range rounds(2000) {
		client, server := p.connect(t)
		p.gate.ToServer.Set(chaos.CloseOnData{})
		write(t, client, []byte("x"))
		if n, err := server.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("round %d: the byte written after Set: the server read %d, %v, want EOF", i, n, err)
		}
		p.gate.ToServer.Set()
		client.Close()
		server.Close()
	}
}

// barrierNewConnection connects right after Set: there is no moment in which a connection has no program yet.
func barrierNewConnection(t *testing.T, p *wirePair) {
	for i := range rounds(2000) {
		p.gate.ToServer.Set(chaos.Edit(mark))
		client, server := p.connect(t)
		write(t, client, []byte("a"))
		wantByte(t, server, 'a'|0x80)
		client.Close()
		server.Close()
		p.gate.ToServer.Set()
		client, server = p.connect(t)
		write(t, client, []byte("b"))
		wantByte(t, server, 'b')
		client.Close()
		server.Close()
		if t.Failed() {
			t.Fatalf("round %d", i)
		}
	}
}
