package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A node is a value in a file. What was YAML and what was JSON look the same.
type node struct {
	place
	scalar string // in JSON
	text   string // a string as it was meant, to find a column of it in the file
	isText bool
	isList bool
	list   []*node
	object []member // nil unless it is one
}

// A member is a key of an object and its value.
type member struct {
	key   string
	where place
	value *node
}

// mostKeys is how many keys an object can have. None that means something has more than twenty.
const mostKeys = 1000

// tooMany returns the error about a key that is one too many.
func (s source) tooMany(where place) *Error {
	return s.wrong(where, "", fmt.Errorf("got more than %d keys, want fewer", mostKeys))
}

// add adds a member to an object. A key is there once, however its underscores are written.
func (s source) add(object *[]member, m member) *Error {
	if len(*object) >= mostKeys {
		return s.tooMany(m.where)
	}
	for _, other := range *object {
		if canonical(other.key) == canonical(m.key) {
			was := s.wrong(other.where, "", nil)
			return s.wrong(m.where, "", fmt.Errorf("%s is given twice, first in line %d", shown(m.key), was.Line))
		}
	}
	*object = append(*object, m)
	return nil
}

// canonical returns a key as package spec knows it.
func canonical(key string) string { return strings.ReplaceAll(key, "-", "_") }

// json returns the value as JSON.
func (n *node) json() []byte {
	var b bytes.Buffer
	n.write(&b)
	return b.Bytes()
}

func (n *node) write(b *bytes.Buffer) {
	switch {
	case n.isList:
		b.WriteByte('[')
		for i, item := range n.list {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	case n.object != nil:
		b.WriteByte('{')
		for i, m := range n.object {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(m.key) + ":")
			m.value.write(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(n.scalar)
	}
}

// quote returns a text as a JSON string.
func quote(text string) string {
	data, _ := json.Marshal(text) // every string can be written
	return string(data)
}

// what says what sort of value it is.
func (n *node) what() string {
	switch {
	case n.isList:
		return "a list"
	case n.object != nil:
		return "an object"
	case n.isText:
		return shown(n.text)
	case n.scalar == "null":
		return "nothing"
	default:
		return shown(n.scalar)
	}
}

// find returns where in the source a path leads, as far as it does: to a key or to its value.
func (s source) find(n *node, path string, column int, toKey bool) place {
	where := n.place
	for path != "" {
		path = strings.TrimPrefix(path, ".")
		if index, rest, ok := cutIndex(path); ok && index < len(n.list) {
			n, path = n.list[index], rest
			where = n.place
			continue
		}
		m, rest, ok := n.cutKey(path)
		if !ok {
			break
		}
		n, path = m.value, rest
		where = n.place
		if path == "" && toKey {
			return m.where
		}
	}
	if column > 0 && n.isText {
		return s.within(n, column)
	}
	return where
}

// cutIndex cuts an index such as [1] from the beginning of a path.
func cutIndex(path string) (index int, rest string, ok bool) {
	inside, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
	if !ok || !strings.HasPrefix(path, "[") {
		return 0, "", false
	}
	index, err := strconv.Atoi(inside)
	return index, rest, err == nil && index >= 0
}

// cutKey cuts a key of an object from the beginning of a path. Keys may hold dots and brackets, so that the longest is meant.
func (n *node) cutKey(path string) (found member, rest string, ok bool) {
	for _, m := range n.object {
		behind, is := strings.CutPrefix(path, canonical(m.key))
		if is && (behind == "" || behind[0] == '.' || behind[0] == '[') && (!ok || len(m.key) > len(found.key)) {
			found, rest, ok = m, behind, true
		}
	}
	return found, rest, ok
}

// within returns the place of a column of a string: that of the key or the value which begins there, if the string stands in the source
// as it is meant, and all of the string otherwise.
func (s source) within(n *node, column int) place {
	raw := s.text[n.at : n.at+n.wide]
	lead := strings.Index(raw, n.text)
	if lead < 0 || lead > 1 || column > len(n.text) {
		return n.place
	}
	word := n.text[column-1:]
	if end := strings.IndexAny(word, " \t="); end > 0 {
		word = word[:end]
	}
	return place{n.at + lead + column - 1, len(word)}
}
