package spec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/chaosgate/chaos/spec"
	"github.com/google/go-cmp/cmp"
)

func FuzzParseFault(f *testing.F) {
	for _, form := range forms {
		f.Add(form.text)
	}
	f.Add("substitute pattern=`a` with=\"b")
	f.Add("delay by=\xff by")
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := spec.ParseFault(text)
		if err != nil {
			where, ok := errors.AsType[*spec.Error](err)
			if !ok {
				t.Fatalf("got an error of type %T, want *spec.Error", err)
			}
			if where.Column < 1 || where.Column > len(text)+1 {
				t.Fatalf("%v: got column %d of %d", err, where.Column, len(text))
			}
			return
		}
		again, err := spec.ParseFault(spec.Text(fault))
		if diff := cmp.Diff(fault, again); err != nil || diff != "" {
			t.Fatalf("%s: got %v (-want +got):\n%s", spec.Text(fault), err, diff)
		}
	})
}

func FuzzUnmarshalFault(f *testing.F) {
	for _, form := range forms {
		f.Add([]byte(form.json))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fault, err := spec.UnmarshalFault(data)
		if err != nil {
			if _, ok := errors.AsType[*spec.Error](err); !ok {
				t.Fatalf("got an error of type %T, want *spec.Error", err)
			}
			return
		}
		written, err := spec.MarshalFault(fault)
		if err != nil {
			t.Fatal(err)
		}
		again, err := spec.UnmarshalFault(written)
		if diff := cmp.Diff(fault, again); err != nil || diff != "" {
			t.Fatalf("%s: got %v (-want +got):\n%s", written, err, diff)
		}
	})
}

func FuzzParseGate(f *testing.F) {
	for _, text := range []string{"redis=127.0.0.1:1,[::1]:2", "unix:/a,@b", "tcp:udp:1,b:2", "x=tcp6:,a:1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		gate, err := spec.ParseGate(text)
		if err != nil {
			if _, ok := errors.AsType[*spec.Error](err); !ok {
				t.Fatalf("got an error of type %T, want *spec.Error", err)
			}
			return
		}
		again, err := spec.ParseGate(gate.Text())
		if diff := cmp.Diff(gate, again); err != nil || diff != "" {
			t.Fatalf("%s: got %v (-want +got):\n%s", gate.Text(), err, diff)
		}
	})
}

func FuzzGateJSON(f *testing.F) {
	f.Add([]byte(`{"name":"a","network":"tcp","listen":":1","server":"b:2","seed":"0x2a","door":"hold","to_server":["stall"],"to_client":"vanish"}`))
	f.Add([]byte(`{"network":"unix","server":"/a b"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var gate, again spec.Gate
		if err := gate.UnmarshalJSON(data); err != nil {
			if _, ok := errors.AsType[*spec.Error](err); !ok {
				t.Fatalf("got an error of type %T, want *spec.Error", err)
			}
			return
		}
		written, err := json.Marshal(gate)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalJSON(written); err != nil {
			t.Fatal(err)
		}
		rewritten, err := json.Marshal(again)
		if err != nil || !bytes.Equal(rewritten, written) {
			t.Fatalf("got %s and %v, want %s", rewritten, err, written)
		}
	})
}
