package spec

import "github.com/chaosgate/chaos"

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
