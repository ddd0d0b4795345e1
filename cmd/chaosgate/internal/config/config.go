package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/chaosgate/chaos/spec"
)

// largest is how many bytes a file may have: as many as a request to a daemon.
const largest = 1 << 20

// A File is a file that was read.
type File struct {
	Gates []spec.Gate

	source source
	nodes  []*node // of the gates
}

// A source is what stands in a file.
type source struct {
	name string
	text string
}

// Load reads a file.
func Load(name string) (*File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err // it names the file
	}
	defer f.Close()
	data, err := Bytes(f)
	if err != nil {
		return nil, err
	}
	return Read(name, data)
}

// Bytes returns all that there is to read, or as much of it as shows that it is too large.
func Bytes(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, largest+1))
}

// Read reads what stands in a file. The name is for errors, and tells by .json that it is to be JSON. Its errors are of type [*Error].
func Read(name string, data []byte) (*File, error) {
	f := &File{Gates: []spec.Gate{}, source: source{name, strings.TrimPrefix(string(data), "\ufeff")}}
	if err := f.read(); err != nil { // a nil *Error must not become an error
		return nil, err
	}
	return f, nil
}

func (f *File) read() *Error {
	s := f.source
	if err := s.check(); err != nil {
		return err
	}
	read := s.readYAML
	if filepath.Ext(s.name) == ".json" || json.Valid([]byte(s.text)) {
		read = s.readJSON
	}
	root, err := read()
	if err != nil {
		return err
	}
	if f.nodes, err = s.gates(root); err != nil {
		return err
	}
	for i, n := range f.nodes {
		if err := f.add(i, n); err != nil {
			return err
		}
	}
	return nil
}

// check refuses what is no text.
func (s source) check() *Error {
	switch {
	case len(s.text) > largest:
		return s.whole("has more than %d KiB, want fewer", largest>>10)
	case strings.HasPrefix(s.text, "\xff\xfe"), strings.HasPrefix(s.text, "\xfe\xff"):
		return s.whole("is UTF-16, want UTF-8")
	}
	for at, r := range s.text {
		_, size := utf8.DecodeRuneInString(s.text[at:])
		isControl := r < ' ' && !strings.ContainsRune("\t\r\n", r)
		if isControl || r == utf8.RuneError && size == 1 {
			return s.wrong(place{at: at}, "", fmt.Errorf("got the byte 0x%02x, want text in UTF-8", s.text[at]))
		}
	}
	return nil
}

// gates returns the nodes of the gates.
func (s source) gates(root *node) ([]*node, *Error) {
	const wanted = "want a list of gates, such as - {name: redis, listen: 127.0.0.1:26379, server: 127.0.0.1:6379}"
	if root == nil {
		return nil, s.whole("is empty; where there are to be no gates it says so by gates: []")
	}
	for _, m := range root.object {
		switch near := spec.Nearest(m.key, []string{"gates", "name", "listen", "server"}); {
		case m.key == "gates":
		case near == "gates":
			return nil, s.wrong(m.where, m.key, fmt.Errorf("unknown key %q, did you mean gates?", m.key))
		case near != "":
			return nil, s.wrong(m.where, m.key, errors.New("got one gate, want a list of gates, each with - before it"))
		default:
			return nil, s.wrong(m.where, m.key, fmt.Errorf("unknown key %s, want gates", shown(m.key)))
		}
	}
	switch {
	case root.isList:
		return root.list, nil
	case len(root.object) == 0:
		return nil, s.wrong(root.place, "", fmt.Errorf("got %s, %s", root.what(), wanted))
	}
	list := root.object[0].value
	if !list.isList {
		return nil, s.wrong(list.place, "gates", fmt.Errorf("gates: got %s, %s", list.what(), wanted))
	}
	return list.list, nil
}

// add reads a gate, and refuses it if it cannot be beside those before it.
func (f *File) add(i int, n *node) *Error {
	var g spec.Gate
	if err := g.UnmarshalJSON(n.json()); err != nil {
		return f.at(i, err)
	}
	if g.Name == "" {
		return f.at(i, &spec.Error{Path: "name", Err: errors.New("name: got none, want a name, by which the gate is known when the file is read again")})
	}
	for j, other := range f.Gates {
		line := f.at(j, errors.New("")).Line
		if other.Name == g.Name {
			return f.at(i, &spec.Error{Path: "name", Err: fmt.Errorf("name: got %s, which the gate in line %d has", shown(g.Name), line)})
		}
		if at := door(g); at != "" && at == door(other) {
			return f.at(i, &spec.Error{Path: "listen", Err: fmt.Errorf("listen: got %s, on which %s listens, in line %d", shown(g.Listen), shown(other.Name), line)})
		}
	}
	f.Gates = append(f.Gates, g)
	return nil
}

// door returns what no two gates can listen on, or "" if that cannot be told.
func door(g spec.Gate) string {
	_, port, err := net.SplitHostPort(g.Listen)
	switch {
	case g.Stopped, g.Listen == "":
		return ""
	case g.Network == "unix":
		return "unix " + g.Listen
	case err != nil, port == "0":
		return ""
	default:
		return g.Network[:3] + " " + g.Listen
	}
}

// at returns an error of package spec's about a gate as one about the file.
func (f *File) at(i int, err error) *Error {
	where, ok := errors.AsType[*spec.Error](err)
	if !ok {
		where = &spec.Error{Err: err}
	}
	p := f.source.find(f.nodes[i], where.Path, where.Column, where.Key)
	path := fmt.Sprintf("gates[%d]", i)
	if where.Path != "" {
		path += "." + where.Path
	}
	return f.source.wrong(p, path, where.Err)
}

// At returns an error about a value at a path, such as gates[1].listen, as one about the file.
func (f *File) At(path string, err error) *Error {
	rest, isGates := strings.CutPrefix(path, "gates")
	i, rest, ok := cutIndex(rest)
	if !isGates || !ok || i >= len(f.nodes) {
		return f.source.whole("%w", err)
	}
	inner, _ := errors.AsType[*spec.Error](err)
	inner = cmp.Or(inner, &spec.Error{})
	return f.source.wrong(f.source.find(f.nodes[i], rest, inner.Column, inner.Key), path, err)
}

// Faults returns how many faults the gates have.
func (f *File) Faults() int {
	n := 0
	for _, g := range f.Gates {
		n += len(g.ToServer) + len(g.ToClient)
	}
	return n
}

// Leases returns the names of the leases that the gates and their faults hang on.
func (f *File) Leases() []string {
	var names []string
	for _, g := range f.Gates {
		names = append(names, g.Lease)
		for _, e := range slices.Concat(g.ToServer, g.ToClient) {
			names = append(names, e.Lease)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}
