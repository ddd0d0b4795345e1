package chaos

import (
	"errors"
	"io"
	"testing"
)

// TestEmptyDatagramsFillASpool holds that they are bounded, although they have no bytes.
func TestEmptyDatagramsFillASpool(t *testing.T) {
	told := 0
	s := newSpool(true, func() { told++ })
	n := 0
	for ; !s.full() && n < spoolSize; n++ {
		s.put(nil)
	}
	if n == 0 || n > spoolSize/16 {
		t.Errorf("got room for %d empty datagrams, want some and not many", n)
	}
	for range n {
		if got, err := s.Read(make([]byte, 1)); got != 0 || err != nil {
			t.Fatalf("got %d and %v, want an empty datagram", got, err)
		}
	}
	if told != 1 || s.full() {
		t.Errorf("got told %d times that there is room, want once", told)
	}
	s.finish(io.EOF)
	if _, err := s.Read(nil); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
}
