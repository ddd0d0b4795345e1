package chaos_test

import (
	"io"
	"testing"
	"time"

	"github.com/chaosgate/chaos"
)

// TestWhatWaitsForCodeIsDropped ends a session of which a test's own code has not read everything: that was in no figure.
func TestWhatWaitsForCodeIsDropped(t *testing.T) {
	inBubble(t, "not read yet", func(t *testing.T) {
		v := newVirtualUDP(t)
		v.ToServer.Set(chaos.Through(func(_ io.Writer, src io.Reader) error {
			time.Sleep(time.Minute)
			_, err := io.Copy(io.Discard, src)
			return err
		}))
		v.client(t).says(t, "one", "two")
		v.CloseConns(chaos.All)
		time.Sleep(time.Hour)
		if got := v.Stats(); got.Dropped != 6 {
			t.Errorf("got %d bytes dropped, want 6: %+v", got.Dropped, got)
		}
	})
}
