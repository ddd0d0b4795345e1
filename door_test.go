package chaos

import (
	"fmt"
	"strings"
	"testing"
)

func TestDoorText(t *testing.T) {
	tests := []struct {
		door Door
		text string
	}{
		{Open, "open"},
		{Hold, "hold"},
		{Refuse, "refuse"},
		{Blackhole, "blackhole"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := tt.door.MarshalText()
			if string(got) != tt.text || err != nil || tt.door.String() != tt.text {
				t.Errorf("marshal: got %q, %v and String %q, want %q", got, err, tt.door, tt.text)
			}
			d := Door(77)
			if err := d.UnmarshalText([]byte(tt.text)); err != nil || d != tt.door {
				t.Errorf("unmarshal: got %v, %v, want %v", d, err, tt.door)
			}
		})
	}
}

func TestDoorTextOfNoDoor(t *testing.T) {
	if _, err := Door(4).MarshalText(); err == nil || !strings.Contains(err.Error(), "Blackhole") {
		t.Errorf("marshal: got %v, want an error that says what is allowed", err)
	}
	d := Hold
	for _, text := range []string{"", "Open", "shut"} {
		err := d.UnmarshalText([]byte(text))
		want := fmt.Sprintf("got %q, want open, hold, refuse or blackhole", text)
		if err == nil || err.Error() != want || d != Hold {
			t.Errorf("unmarshal %q: got %v and %v, want %s, and hold", text, err, d, want)
		}
	}
}
