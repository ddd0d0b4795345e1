package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// deepest is how many lists and objects can stand within one another. Faults within faults need no more.
const deepest = 100

// readJSON reads a source that is JSON. It returns nil if there is nothing in it.
func (s source) readJSON() (*node, *Error) {
	if strings.TrimSpace(s.text) == "" {
		return nil, nil
	}
	var whole json.RawMessage
	if err := json.Unmarshal([]byte(s.text), &whole); err != nil {
		return nil, s.syntax(err)
	}
	r := &jsonReader{source: s, decoder: json.NewDecoder(strings.NewReader(s.text))}
	r.decoder.UseNumber() // one that no variable holds is for others to refuse
	return r.value(0)
}

// syntax returns an error of the decoder's as one about the file.
func (s source) syntax(err error) *Error {
	at := len(strings.TrimRight(s.text, " \t\r\n")) - 1 // where it ends, if that is too early
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && int(syntax.Offset) <= at {
		at = int(syntax.Offset) - 1
	}
	return s.wrong(place{at: at}, "", fmt.Errorf("JSON: %w", err))
}

// A jsonReader reads JSON, of which is known that it is, and knows where it is.
type jsonReader struct {
	source
	decoder *json.Decoder
}

// token reads a token and tells its place.
func (r *jsonReader) token() (json.Token, place, *Error) {
	behind := r.text[r.decoder.InputOffset():]
	begin := len(r.text) - len(strings.TrimLeft(behind, " \t\r\n,:"))
	token, err := r.decoder.Token()
	if err != nil {
		return nil, place{}, r.syntax(err)
	}
	return token, place{begin, int(r.decoder.InputOffset()) - begin}, nil
}

// value reads a value that stands in so many others.
func (r *jsonReader) value(depth int) (*node, *Error) {
	token, where, err := r.token()
	if err != nil {
		return nil, err
	}
	n := &node{place: where}
	switch token := token.(type) {
	case json.Delim:
		if depth >= deepest {
			return nil, r.tooDeep(where)
		}
		if token == '[' {
			err = r.readList(n, depth+1)
		} else {
			err = r.readObject(n, depth+1)
		}
		n.wide = 1
	case string:
		n.scalar, n.text, n.isText = r.text[where.at:where.at+where.wide], token, true
	default:
		n.scalar = r.text[where.at : where.at+where.wide]
	}
	return n, err
}

func (r *jsonReader) readList(n *node, depth int) *Error {
	n.isList = true
	for r.decoder.More() {
		item, err := r.value(depth)
		if err != nil {
			return err
		}
		n.list = append(n.list, item)
	}
	_, _, err := r.token()
	return err
}

func (r *jsonReader) readObject(n *node, depth int) *Error {
	n.object = []member{}
	for r.decoder.More() {
		key, where, err := r.token()
		if err != nil {
			return err
		}
		value, err := r.value(depth)
		if err != nil {
			return err
		}
		if err := r.add(&n.object, member{key.(string), where, value}); err != nil {
			return err
		}
	}
	_, _, err := r.token()
	return err
}

// tooDeep returns the error about a list or an object that stands in too many others.
func (s source) tooDeep(where place) *Error {
	return s.wrong(where, "", fmt.Errorf("got lists and objects within one another, more than %d deep, want fewer", deepest))
}
