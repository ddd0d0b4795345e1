package spec

import (
	"bytes"
	"encoding/json"

	"github.com/chaosgate/chaos"
)

// MergeFault reads a fault as [UnmarshalFault] does, but if it is an object of the same kind as another fault, it has that one's parameters
// where it does not tell its own, as RFC 7396 has it: null is the default.
func MergeFault(now chaos.Fault, data []byte) (chaos.Fault, error) {
	if err := valid(data); err != nil {
		return nil, err
	}
	was, err := MarshalFault(now)
	if err != nil {
		return nil, err
	}
	kind := chaos.KindOf(now)
	is, given := paramsOf(kind, was), paramsOf(kind, data)
	if is == nil || given == nil { // a fault of another kind, or one that is a text
		return UnmarshalFault(data)
	}
	// What is given comes last, but where it takes something away.
	var b bytes.Buffer
	b.WriteString(`{"` + kind + `":{`)
	separator := ""
	add := func(m member) {
		b.WriteString(separator)
		writeString(&b, m.key)
		b.WriteString(":")
		b.Write(m.value)
		separator = ","
	}
	told := map[string]bool{}
	for _, m := range given {
		told[canonical(m.key)] = true
	}
	for _, m := range is {
		if !told[m.key] {
			add(m)
		}
	}
	for _, m := range given {
		if string(m.value) != "null" {
			add(m)
		}
	}
	b.WriteString("}}")
	return UnmarshalFault(b.Bytes())
}

// paramsOf returns the parameters of a fault that is an object of a kind, nil if it is none.
func paramsOf(kind string, data []byte) []member {
	if data = bytes.TrimSpace(data); data[0] != '{' {
		return nil
	}
	object, err := members(data)
	if err != nil || len(object) != 1 || canonical(object[0].key) != kind {
		return nil
	}
	var params json.RawMessage = bytes.TrimSpace(object[0].value)
	if params[0] != '{' {
		return nil
	}
	list, err := members(params)
	if err != nil {
		return nil
	}
	return append([]member{}, list...)
}
