package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
)

// An Entry is a fault as it stands in a gate's list, with what a daemon is told of it beside.
//
// In JSON it is the fault alone, or an object that names it: {"fault": "delay by=200ms", "id": "slow", "for": "10s"}.
type Entry struct {
	Fault chaos.Fault
	ID    string        // names it at its gate; if empty, a name is made from its kind
	For   time.Duration // after how long it is lifted; never if zero
	Lease string        // the lease that it is lifted with; none if empty
}

// Bare reports whether the entry is its fault alone.
func (e Entry) Bare() bool { return e.ID == "" && e.For == 0 && e.Lease == "" }

// An entryJSON is an entry that is more than its fault.
type entryJSON struct {
	ID    string   `json:"id,omitempty"`
	Fault Fault    `json:"fault"`
	For   Duration `json:"for,omitzero"`
	Lease string   `json:"lease,omitempty"`
}

// MarshalJSON returns the fault alone, if that is all there is.
func (e Entry) MarshalJSON() ([]byte, error) {
	if e.Bare() {
		return MarshalFault(e.Fault)
	}
	return json.Marshal(entryJSON{e.ID, Fault{e.Fault}, Duration(e.For), e.Lease})
}

// UnmarshalJSON reads a fault, or an object with a fault and what else is said of it. If data is refused, e stays as it is.
func (e *Entry) UnmarshalJSON(data []byte) error { return replace(e, data, unmarshalEntry) }

func unmarshalEntry(data []byte) (Entry, error) {
	if err := valid(data); err != nil {
		return Entry{}, err
	}
	e, err := newReading().entry(data)
	if err != nil { // a nil *Error must not become an error
		return Entry{}, err
	}
	return e, nil
}

var entryKeys = []string{"id", "fault", "for", "lease"}

// entry reads and checks an entry from a valid JSON value.
func (r *reading) entry(data []byte) (Entry, *Error) {
	var object []member
	if data = bytes.TrimSpace(data); data[0] == '{' {
		var err error
		if object, err = members(data); err != nil {
			return Entry{}, &Error{Err: err}
		}
	}
	if !slices.ContainsFunc(object, func(m member) bool { return slices.Contains(entryKeys, canonical(m.key)) }) {
		fault, err := r.whole(data)
		return Entry{Fault: fault}, err
	}
	var e Entry
	for _, m := range object {
		key := canonical(m.key)
		if !slices.Contains(entryKeys, key) {
			return Entry{}, &Error{Path: key, Key: true, Err: unknown("key", key, entryKeys)}
		}
		if err := e.set(r, key, m.value); err != nil {
			return Entry{}, err.under(key)
		}
	}
	if e.Fault == nil {
		return Entry{}, errorf("fault", "got none, want a fault such as delay by=200ms")
	}
	return e, nil
}

// set reads one member of an entry's object.
func (e *Entry) set(r *reading, key string, data []byte) *Error {
	var err error
	switch isText := data[0] == '"'; {
	case key == "fault":
		var refused *Error
		if e.Fault, refused = r.whole(data); refused != nil {
			return refused
		}
	case !isText:
		err = fmt.Errorf("got %s, want a string", shown(string(data)))
	case key == "for":
		var d Duration
		err = d.UnmarshalText([]byte(unquote(data)))
		e.For = time.Duration(d)
	case key == "id":
		e.ID = unquote(data)
		err = checkName(e.ID)
	default:
		e.Lease = unquote(data)
		err = checkName(e.Lease)
	}
	if err != nil {
		return &Error{Err: err}
	}
	return nil
}

// Entries are the faults of a flow, in the order in which bytes meet them. In JSON they are an array, or a string with all of them.
type Entries []Entry

// EntriesOf returns entries that are their faults alone.
func EntriesOf(faults ...chaos.Fault) Entries {
	var es Entries
	for _, fault := range faults {
		es = append(es, Entry{Fault: fault})
	}
	return es
}

// Faults returns the entries' faults.
func (es Entries) Faults() []chaos.Fault {
	faults := make([]chaos.Fault, len(es))
	for i, e := range es {
		faults[i] = e.Fault
	}
	return faults
}

// MarshalJSON returns an array.
func (es Entries) MarshalJSON() ([]byte, error) {
	list := make([]json.RawMessage, len(es))
	for i, e := range es {
		data, err := e.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		list[i] = data
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads an array of entries, or a string as [ParseFaults] reads it; null is an empty list. If anything is refused, es
// stays as it is.
func (es *Entries) UnmarshalJSON(data []byte) error { return replace(es, data, unmarshalEntries) }

func unmarshalEntries(data []byte) (Entries, error) {
	if err := valid(data); err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	if data[0] == '"' {
		faults, err := ParseFaults(unquote(data))
		return EntriesOf(faults...), err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, &Error{Err: fmt.Errorf(`got %s, want a list of faults, such as ["delay by=200ms"]`, shown(string(data)))}
	}
	var es Entries
	r := newReading()
	for i, item := range list {
		e, err := r.entry(item)
		if err != nil {
			return nil, err.under(fmt.Sprintf("[%d]", i))
		}
		es = append(es, e)
	}
	return es, nil
}

// Check reports, as an [*Error], the first of the entries that could not be imposed on a gate of that network.
func (es Entries) Check(network string) error {
	if err := es.check(network, map[string]bool{}); err != nil { // a nil *Error must not become an error
		return err
	}
	return nil
}

// check adds to ids those of the entries.
func (es Entries) check(network string, ids map[string]bool) *Error {
	for i, e := range es {
		at := fmt.Sprintf("[%d]", i)
		if err := e.check(network); err != nil {
			return err.under(at)
		}
		if e.ID != "" && ids[e.ID] {
			return errorf("id", "got %s, which another fault of the gate has", shown(e.ID)).under(at)
		}
		ids[e.ID] = true
	}
	return nil
}

// check reports why the entry could not be imposed on a gate of that network, if so.
func (e Entry) check(network string) *Error {
	if e.For < 0 {
		return errorf("for", "got %v, want a duration above 0", e.For)
	}
	for _, name := range []struct{ key, text string }{{"id", e.ID}, {"lease", e.Lease}} {
		if err := checkName(name.text); err != nil {
			return errorf(name.key, "%w", err)
		}
	}
	refused, _ := errors.AsType[*chaos.FaultError](chaos.Check(network, e.Fault))
	switch {
	case refused == nil:
		return nil
	case e.Bare():
		return fail(refused, 0)
	default:
		return fail(refused, 0).under("fault")
	}
}

// String returns the entries' faults as one line of text.
func (es Entries) String() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = Text(e.Fault)
	}
	return strings.Join(texts, " ")
}
