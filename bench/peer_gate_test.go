package main

import (
	"strings"
	"testing"
)

func TestGateOrders(t *testing.T) {
	server, err := startChild(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	defer server.stop()
	gate, err := gateInProcess.start(t.Context(), site{server: server.addr, fault: fault{text: "delay by=1ms"}})
	if err != nil {
		t.Fatal(err)
	}
	defer gate.stop()
	w := &wire{gate, server}
	if took, err := w.sets(3); err != nil || len(took) != 3 || took[0] <= 0 {
		t.Errorf("set: got %v, %v, want three durations", took, err)
	}
	for _, order := range []string{"work", "switch 1000", "unswitch"} {
		if answer, err := w.ask(order); err != nil || answer == "" {
			t.Errorf("%s: got %q, %v, want an answer", order, answer, err)
		}
	}
	if _, err := w.ask("dance 3"); err == nil || !strings.Contains(err.Error(), "no such order") {
		t.Errorf("what it does not know: got %v", err)
	}
}

func TestAGateThatCannotStart(t *testing.T) {
	_, err := gateInProcess.start(t.Context(), site{server: "127.0.0.1:1", fault: fault{text: "nonsense"}})
	if err == nil {
		t.Error("got no error")
	}
}
