package spec

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/chaosgate/chaos"
)

// A Fault is a [chaos.Fault] that can stand in a struct which is read from or written to JSON, YAML or a flag.
type Fault struct{ chaos.Fault }

// String returns what [Text] does.
func (f Fault) String() string { return Text(f.Fault) }

// MarshalJSON returns what [MarshalFault] does.
func (f Fault) MarshalJSON() ([]byte, error) { return MarshalFault(f.Fault) }

// UnmarshalJSON does what [UnmarshalFault] does. If data is refused, f stays as it is.
func (f *Fault) UnmarshalJSON(data []byte) error { return replace(&f.Fault, data, UnmarshalFault) }

// MarshalText returns what [Text] does, but refuses a fault that exists in Go only.
func (f Fault) MarshalText() ([]byte, error) {
	if err := writable(f.Fault); err != nil {
		return nil, err
	}
	return []byte(Text(f.Fault)), nil
}

// UnmarshalText does what [ParseFault] does. If text is refused, f stays as it is.
func (f *Fault) UnmarshalText(text []byte) error { return replace(&f.Fault, string(text), ParseFault) }

// replace sets a variable to what is read from some input, if it can be read.
func replace[T, In any](variable *T, in In, read func(In) (T, error)) error {
	value, err := read(in)
	if err != nil {
		return err
	}
	*variable = value
	return nil
}

// Faults is a list of faults, in the order in which bytes meet them. In JSON it is an array of faults, or a string with all of them.
type Faults []chaos.Fault

// MarshalJSON returns an array of what [MarshalFault] returns.
func (f Faults) MarshalJSON() ([]byte, error) {
	list := make([]json.RawMessage, len(f))
	for i, fault := range f {
		data, err := MarshalFault(fault)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		list[i] = data
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads an array of what [UnmarshalFault] reads, or a string as [ParseFaults] reads it; null is an empty list.
// If anything is refused, f stays as it is.
func (f *Faults) UnmarshalJSON(data []byte) error {
	return replace(f, data, unmarshalFaults)
}

// unmarshalFaults reads faults from JSON.
func unmarshalFaults(data []byte) (Faults, error) {
	if err := valid(data); err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	if data[0] == '"' {
		return ParseFaults(unquote(data))
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, &Error{Err: fmt.Errorf(`got %s, want a list of faults, such as ["delay by=200ms"]`, shown(string(data)))}
	}
	var faults Faults
	r := newReading()
	for i, item := range list {
		fault, err := r.whole(item)
		if err != nil {
			return nil, err.under(fmt.Sprintf("[%d]", i))
		}
		faults = append(faults, fault)
	}
	return faults, nil
}
