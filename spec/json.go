package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/chaosgate/chaos"
)

// UnmarshalFault reads a fault from JSON: an object such as {"delay": {"by": "200ms"}}, or a string with its text form. Keys that are
// unknown or given twice are refused. Its errors are of type [*Error].
func UnmarshalFault(data []byte) (chaos.Fault, error) {
	if err := valid(data); err != nil {
		return nil, err
	}
	fault, err := newReading().whole(data)
	if err != nil { // a nil *Error must not become an error
		return nil, err
	}
	return fault, nil
}

// whole reads and checks a fault that stands by itself from a valid JSON value.
func (r *reading) whole(data []byte) (chaos.Fault, *Error) {
	r.forget()
	fault, err := r.unmarshal(data, nil)
	if err != nil {
		return nil, err
	}
	return fault, r.check(fault)
}

// MarshalFault returns the JSON object for a fault, without the parameters that are zero: [UnmarshalFault] makes an equal fault of it. A
// text that is not UTF-8 has no place in JSON, so a fault with such a text becomes a string that holds its text form. A fault
// that exists in Go only, such as [chaos.Edit], or that [chaos.Check] refuses, is an error.
func MarshalFault(fault chaos.Fault) ([]byte, error) {
	if err := writable(fault); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	writeJSON(&b, kinds(), fault)
	return b.Bytes(), nil
}

// writable reports why a fault has no form in writing, if so.
func writable(fault chaos.Fault) error {
	if refused := check(fault); refused != nil {
		return refused
	}
	for known := kinds(); ; {
		kind, ok := known[chaos.KindOf(fault)]
		if !ok {
			return fmt.Errorf("%s exists in Go only: it cannot be written down", chaos.KindOf(fault))
		}
		p, ok := carried(kind)
		if !ok {
			return nil
		}
		fault = reflect.ValueOf(fault).FieldByName(p.Field).Interface().(chaos.Fault)
	}
}

// writeJSON writes a fault that is writable.
func writeJSON(b *bytes.Buffer, kinds map[string]chaos.Kind, fault chaos.Fault) {
	kind := kinds[chaos.KindOf(fault)]
	v := reflect.ValueOf(fault)
	for _, p := range kind.Params {
		if field := v.FieldByName(p.Field); p.Type == "text" && !utf8.ValidString(field.String()) {
			writeString(b, Text(fault))
			return
		}
	}
	fmt.Fprintf(b, `{"%s":{`, kind.Name)
	separator := ""
	for _, p := range kind.Params {
		field := v.FieldByName(p.Field)
		if field.IsZero() {
			continue
		}
		fmt.Fprintf(b, `%s"%s":`, separator, p.Name)
		separator = ","
		switch p.Type {
		case "fault":
			writeJSON(b, kinds, field.Interface().(chaos.Fault))
		case "count", "flag":
			b.WriteString(valueText(p, field))
		case "chance":
			number, _ := json.Marshal(field.Float()) // it is between 0 and 1
			b.Write(number)
		default:
			writeString(b, valueText(p, field))
		}
	}
	b.WriteString("}}")
}

// writeString writes a string as people would: with < and > as they are.
func writeString(b *bytes.Buffer, s string) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s)   // a Buffer takes everything
	b.Truncate(b.Len() - 1) // the line's end
}

// valid reports what is wrong with data that is not one JSON value.
func valid(data []byte) *Error {
	if !utf8.Valid(data) {
		return &Error{Err: errors.New("got bytes that are not UTF-8, want JSON")}
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return &Error{Err: fmt.Errorf("want JSON: %w", err)}
	}
	return nil
}

// unmarshal reads a fault from a JSON value.
func (r *reading) unmarshal(data []byte, path []string) (chaos.Fault, *Error) {
	fails := func(format string, args ...any) *Error {
		return fail(&chaos.FaultError{Path: path, Err: fmt.Errorf(format, args...)}, 0)
	}
	switch data = bytes.TrimSpace(data); data[0] {
	case '"':
		faults, err := parse(r, unquote(data), path)
		if err == nil && len(faults) > 1 {
			err = fails("got %d faults, want one", len(faults))
		}
		if err != nil {
			return nil, err
		}
		return faults[0], nil
	case '{':
	default:
		return nil, fails(`got %s, want a fault such as {"delay": {"by": "200ms"}}`, shown(string(data)))
	}
	object, err := members(data)
	if err != nil {
		return nil, fails("%w", err)
	}
	if len(object) != 1 {
		return nil, fails(`got %d kinds, want one, as in {"delay": {"by": "200ms"}}`, len(object))
	}
	d, refused := r.draft(object[0].key, path, 0)
	if refused != nil {
		return nil, refused.atKey(object[0].key)
	}
	if refused = d.unmarshal(object[0].value); refused != nil {
		return nil, refused
	}
	return d.fault()
}

// unmarshal reads the parameters from a JSON value.
func (d *draft) unmarshal(data []byte) *Error {
	if data[0] != '{' {
		return d.refuse("", string(data), `an object with its parameters, such as {}`, 0)
	}
	object, err := members(data)
	if err != nil {
		return d.wrong(err, 0)
	}
	for _, m := range object {
		p, refused := d.param(m.key, 0)
		switch {
		case refused != nil:
			refused = refused.atKey(m.key)
		case p.Type == "fault":
			var fault chaos.Fault
			if fault, refused = d.reading.unmarshal(m.value, d.within(p)); refused == nil {
				d.carry(p, fault)
			}
		default:
			refused = d.unmarshalValue(p, m.value)
		}
		if refused != nil {
			return refused
		}
	}
	return nil
}

// unmarshalValue reads a parameter: numbers, true and false are what they are in the text form, strings what stands in them.
func (d *draft) unmarshalValue(p chaos.Param, data []byte) *Error {
	text := string(data)
	isString, isFlag := data[0] == '"', text == "true" || text == "false"
	isNumber := data[0] == '-' || '0' <= data[0] && data[0] <= '9'
	needsString := p.Type == "text" || p.Type == "choice"
	switch {
	case p.Type == "flag" && !isFlag, p.Type != "flag" && !isString && !isNumber, needsString && !isString:
		return d.refuse(p.Name, text, want(p), 0)
	case isString:
		text = unquote(data)
	}
	return d.set(p, text, 0)
}

// unquote returns what a valid JSON string stands for.
func unquote(data []byte) string {
	var s string
	_ = json.Unmarshal(data, &s) // it is valid
	return s
}

// A member is a key of a JSON object and its value.
type member struct {
	key   string
	value json.RawMessage
}

// members returns the members of a valid JSON object, in order, if no key is there twice.
func members(data []byte) ([]member, error) {
	var object []member
	seen := map[string]bool{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	_, _ = decoder.Token() // the brace
	for decoder.More() {
		key, _ := decoder.Token()
		m := member{key: key.(string)}
		if err := decoder.Decode(&m.value); err != nil {
			return nil, err
		}
		if seen[canonical(m.key)] {
			return nil, fmt.Errorf("%s is given twice", shown(m.key))
		}
		seen[canonical(m.key)] = true
		object = append(object, m)
	}
	return object, nil
}
