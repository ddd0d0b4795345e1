package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// readYAML reads a source that is YAML. It returns nil if there is nothing in it.
func (s source) readYAML() (root *node, err *Error) {
	y := newYAMLReader(s)
	tokens := lexer.Tokenize(s.text)
	if err := y.check(tokens); err != nil {
		return nil, err
	}
	defer func() { // a daemon outlives a file that is too much for the parser
		if failed := recover(); failed != nil {
			root, err = nil, s.whole("cannot be read as YAML: the parser has failed with %v", failed)
		}
	}()
	file, failed := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if failed != nil {
		return nil, y.syntax(failed)
	}
	for _, document := range file.Docs {
		if document.Body != nil {
			return y.value(document.Body, 0)
		}
	}
	return nil, nil
}

// A yamlReader reads YAML and knows where it is.
type yamlReader struct {
	source
	offsets []int // at which byte each character begins
	lines   []int // at which character each line begins
}

func newYAMLReader(s source) *yamlReader {
	y := &yamlReader{source: s, lines: []int{0}}
	for at, r := range s.text {
		y.offsets = append(y.offsets, at)
		if r == '\n' {
			y.lines = append(y.lines, len(y.offsets))
		}
	}
	y.offsets = append(y.offsets, len(s.text))
	return y
}

// refusals are what YAML has beyond JSON and is not read here, by the tokens with which it begins.
var refusals = map[token.Type]string{
	token.AnchorType:     "an anchor (&), want none: what is meant twice is written twice, and text that begins with & stands in quotes",
	token.AliasType:      "an alias (*), want none: what is meant twice is written twice, and text that begins with * stands in quotes",
	token.MergeKeyType:   "a merge key (<<), want none: what is meant twice is written twice",
	token.TagType:        "a tag (!), want none: text that begins with ! stands in quotes",
	token.MappingKeyType: "a key behind ?, want KEY: VALUE",
	token.DirectiveType:  "a directive (%), want none: text that begins with % stands in quotes",
}

// check refuses what is not read here, and what would cost the parser more than it is worth: its effort grows with the square of the
// depth and of the number of keys.
func (y *yamlReader) check(tokens token.Tokens) *Error {
	var nest nesting
	isBegun, isDone := false, false
	for _, t := range tokens {
		where := y.place(t)
		refuse := func(format string, args ...any) *Error { return y.wrong(where, "", fmt.Errorf(format, args...)) }
		if what := refusals[t.Type]; what != "" {
			return refuse("got %s", what)
		}
		switch t.Type {
		case token.CommentType:
			continue
		case token.DocumentHeaderType:
			if isBegun {
				return refuse("got a second document, want one")
			}
		case token.DocumentEndType:
			isDone = true
			continue
		}
		if isDone {
			return refuse("got a second document, want one")
		}
		isBegun = true
		if nest.add(t); nest.depth() > deepest {
			return y.tooDeep(where)
		}
		if nest.keys() > mostKeys {
			return y.tooMany(where)
		}
	}
	return nil
}

// A nesting tells how deep lists and objects stand within one another, from the tokens alone.
type nesting struct {
	brackets int     // that are open
	blocks   []block // from the outermost
}

// A block is a list or an object that is told by its column.
type block struct{ column, keys int }

func (n *nesting) depth() int { return n.brackets + len(n.blocks) }

// keys returns how many keys the innermost block has.
func (n *nesting) keys() int {
	if len(n.blocks) == 0 {
		return 0
	}
	return n.blocks[len(n.blocks)-1].keys
}

func (n *nesting) add(t *token.Token) {
	isKey := t.Type == token.MappingValueType
	switch {
	case t.Type == token.SequenceStartType, t.Type == token.MappingStartType:
		n.brackets++
	case t.Type == token.SequenceEndType, t.Type == token.MappingEndType:
		n.brackets--
	case n.brackets > 0, !isKey && t.Type != token.SequenceEntryType:
	default:
		begin := t
		if isKey && t.Prev != nil {
			begin = t.Prev
		}
		column := begin.Position.Column
		for len(n.blocks) > 0 && n.blocks[len(n.blocks)-1].column > column {
			n.blocks = n.blocks[:len(n.blocks)-1]
		}
		if len(n.blocks) == 0 || n.blocks[len(n.blocks)-1].column < column {
			n.blocks = append(n.blocks, block{column: column})
		}
		if isKey {
			n.blocks[len(n.blocks)-1].keys++
		}
	}
}

// inBrackets matches an IPv6 address that is no string yet, because YAML takes a bracket for the beginning of a list.
var inBrackets = regexp.MustCompile(`:\s+\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%\w+)?\]:`)

// syntax returns the error of the parser's as one about the file.
func (y *yamlReader) syntax(err error) *Error {
	failed, ok := errors.AsType[yaml.Error](err)
	if !ok || failed.GetToken() == nil {
		return y.whole("cannot be read as YAML: %w", err)
	}
	said := fmt.Errorf("YAML: %s", strings.ReplaceAll(failed.GetMessage(), "\t", `\t`))
	e := y.wrong(y.place(failed.GetToken()), "", said)
	if inBrackets.MatchString(e.line) {
		e.Err = fmt.Errorf(`%w; an address in brackets stands in quotes, such as "[::1]:6379"`, said)
	}
	return e
}

// place finds where a token is. Where the reader counts wrong, as behind tabs, its line is searched.
func (y *yamlReader) place(t *token.Token) place {
	first := t.Value
	switch t.Type {
	case token.SingleQuoteType:
		first = "'"
	case token.DoubleQuoteType:
		first = `"`
	case token.InvalidType:
		first = "" // what it holds is not what stands there
	}
	first, _, _ = strings.Cut(first, " ") // a string can go on in the next line, and be joined by a blank
	line := y.lines[min(max(t.Position.Line, 1), len(y.lines))-1]
	for _, at := range []int{t.Position.Offset - 1, line + t.Position.Column - 1} {
		if at >= 0 && at < len(y.offsets) && strings.HasPrefix(y.text[y.offsets[at]:], first) {
			return place{y.offsets[at], y.wide(t, y.offsets[at], first)}
		}
	}
	begin := y.offsets[line]
	text, _, _ := strings.Cut(y.text[begin:], "\n")
	at := max(strings.Index(text, first), 0)
	return place{begin + at, y.wide(t, begin+at, first)}
}

// wide returns how many bytes a token has that begins there.
func (y *yamlReader) wide(t *token.Token, at int, first string) int {
	raw := strings.TrimSpace(t.Origin)
	if t.Type != token.InvalidType && strings.HasPrefix(y.text[at:], raw) {
		return len(raw)
	}
	_, size := utf8.DecodeRuneInString(first)
	return size
}

// value reads a value that stands in so many others.
func (y *yamlReader) value(n ast.Node, depth int) (*node, *Error) {
	v := &node{place: y.place(n.GetToken())}
	if depth > deepest {
		return nil, y.tooDeep(v.place)
	}
	text := n.GetToken().Value
	switch n := n.(type) {
	case *ast.NullNode:
		v.scalar = "null"
	case *ast.BoolNode:
		v.scalar = strings.ToLower(text)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		if v.scalar = text; !number.MatchString(text) { // such as 0x2a, of which those can make something who read strings
			v.scalar, v.text, v.isText = quote(text), text, true
		}
	case *ast.StringNode:
		v.scalar, v.text, v.isText = quote(text), text, true
	case *ast.LiteralNode:
		v.scalar = quote(n.Value.GetToken().Value)
	case *ast.SequenceNode:
		v.isList, v.wide = true, 1
		for _, item := range n.Values {
			value, err := y.value(item, depth+1)
			if err != nil {
				return nil, err
			}
			v.list = append(v.list, value)
		}
	case ast.MapNode:
		v.wide = 1
		return v, y.object(v, n, depth+1)
	default:
		return nil, y.wrong(v.place, "", fmt.Errorf("got %s, want a value as in JSON", n.Type().YAMLName()))
	}
	if v.isText && !utf8.ValidString(v.text) {
		return nil, y.wrong(v.place, "", errors.New("got bytes that are not UTF-8, want text"))
	}
	return v, nil
}

// number matches the numbers of JSON.
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// object reads the members of an object.
func (y *yamlReader) object(v *node, n ast.MapNode, depth int) *Error {
	v.object = []member{}
	for members := n.MapRange(); members.Next(); {
		key := members.Key()
		where := y.place(key.GetToken())
		if len(v.object) == 0 && v.at > where.at || members.Value() == nil {
			v.place = where
		}
		name := key.GetToken().Value
		if !utf8.ValidString(name) {
			return y.wrong(where, "", errors.New("got bytes that are not UTF-8, want a key"))
		}
		value, err := y.value(members.Value(), depth)
		if err != nil {
			return err
		}
		if err := y.add(&v.object, member{name, where, value}); err != nil {
			return err
		}
	}
	return nil
}
