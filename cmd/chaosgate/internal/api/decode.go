package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
)

// decode reads the body of a request.
func decode[T any](ctx context.Context) (value T, err error) {
	return decodeBytes[T](requestOf(ctx).body)
}

func decodeBytes[T any](data []byte) (value T, err error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return value, newProblem(http.StatusBadRequest, "malformed", "", "got no body, want JSON")
	}
	if !json.Valid(data) {
		return value, newProblem(http.StatusBadRequest, "malformed", "", "the body is not JSON: "+syntax(data))
	}
	if reader, ok := any(&value).(json.Unmarshaler); ok {
		return value, reader.UnmarshalJSON(data)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return value, refused(decoder.Decode(&value))
}

// syntax says what is wrong with what is not JSON.
func syntax(data []byte) string {
	var any json.RawMessage
	err := json.Unmarshal(data, &any)
	if where, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("%v, at byte %d", err, where.Offset)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return "it has an end too many"
	}
	return err.Error()
}

// refused returns what the JSON decoder says in the words of this API.
func refused(err error) error {
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return invalid(wrong.Field, "%s: got a %s, want %s", wrong.Field, wrong.Value, wrong.Type)
	}
	if _, ok := errors.AsType[*spec.Error](err); ok {
		return err
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if key, ok := strings.CutPrefix(text, "unknown field "); ok {
		return invalid(strings.Trim(key, `"`), "unknown key %s", key)
	}
	return invalid("", "%s", text)
}

func invalid(path, format string, args ...any) error {
	return &hub.Error{Code: hub.Invalid, Path: path, Err: fmt.Errorf(format, args...)}
}

// gates is the body of PUT /v1/gates: an array, or an object that has one.
type gates []spec.Gate

// UnmarshalJSON reads the gates. Errors tell which one is wrong.
func (gs *gates) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); data[0] == '{' {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(data, &object); err != nil {
			return err
		}
		for key := range object {
			if key != "gates" {
				return invalid(key, `unknown key %q, want gates`, key)
			}
		}
		data = object["gates"]
	}
	var list []json.RawMessage
	if len(data) == 0 || data[0] != '[' || json.Unmarshal(data, &list) != nil {
		return invalid("gates", `gates: got something else, want an array of gates, or {"gates": [...]}`)
	}
	all := make(gates, len(list))
	for i, item := range list {
		if err := all[i].UnmarshalJSON(item); err != nil {
			return under(fmt.Sprintf("gates[%d]", i), err)
		}
	}
	*gs = all
	return nil
}

// under returns an error about a value that stands at a path.
func under(path string, err error) error {
	where, ok := errors.AsType[*spec.Error](err)
	if !ok {
		return invalid(path, "%s: %w", path, err)
	}
	at := path
	if where.Path != "" && where.Path[0] != '[' {
		at += "."
	}
	return invalid(at+where.Path, "%s: %w", path, err)
}

// entries is a body with one or more faults: an entry, a list of them, or a text.
type entries spec.Entries

// UnmarshalJSON reads the faults.
func (es *entries) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); data[0] == '{' {
		var e spec.Entry
		if err := e.UnmarshalJSON(data); err != nil {
			return err
		}
		*es = entries{e}
		return nil
	}
	return (*spec.Entries)(es).UnmarshalJSON(data)
}

// changeOf reads the body of PATCH …/{id}: a fault, merged into the one that is imposed, or an object that has it, with for and lease.
func changeOf(data []byte, now chaos.Fault) (c hub.Change, err error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) == nil {
		about := false
		for _, key := range []string{"fault", "for", "lease", "id"} {
			_, has := object[key]
			about = about || has
		}
		if about {
			return changeOfEntry(object, now)
		}
	}
	c.Fault, err = spec.MergeFault(now, data)
	return c, err
}

func changeOfEntry(object map[string]json.RawMessage, now chaos.Fault) (c hub.Change, err error) {
	for key, value := range object {
		text, isText := "", json.Unmarshal(value, new(string)) == nil
		if isText {
			json.Unmarshal(value, &text) // null is nothing
		}
		switch {
		case key == "fault":
			if c.Fault, err = spec.MergeFault(now, value); err != nil {
				return c, under(key, err)
			}
		case key == "id":
			return c, invalid(key, "id: a fault keeps its id")
		case key != "for" && key != "lease":
			return c, invalid(key, "unknown key %q, want fault, for or lease", key)
		case !isText:
			return c, invalid(key, "%s: got %s, want a string", key, value)
		case key == "lease":
			c.Lease = &text
		default:
			var d spec.Duration
			if text != "" {
				if err := d.UnmarshalText([]byte(text)); err != nil {
					return c, invalid(key, "for: %w", err)
				}
			}
			lasting := time.Duration(d)
			c.For = &lasting
		}
	}
	return c, nil
}
