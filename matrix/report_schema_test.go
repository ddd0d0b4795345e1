package matrix_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos/matrix"
	"github.com/chaosgate/chaos/spec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// An object is one of JSON.
type object map[string]any

// TestSchemaSaysWhatTheRecordIs holds the schema to the types and their comments. With -update it writes it.
func TestSchemaSaysWhatTheRecordIs(t *testing.T) {
	s := schemaWriter{comments: commentsOn(t), defs: object{}}
	root := s.object(reflect.TypeFor[matrix.Report]())
	for key, value := range (object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "The report of a resilience matrix", "$defs": s.defs,
	}) {
		root[key] = value
	}
	root["properties"].(object)["version"].(object)["const"] = matrix.Version
	var want bytes.Buffer
	out := json.NewEncoder(&want)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(root); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("report.schema.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want.String(), string(matrix.Schema())); diff != "" {
		t.Errorf("report.schema.json is not what the types say; -update rewrites it (-want +got):\n%s", diff)
	}
}

// A schemaWriter writes the schema of types, each of a name once.
type schemaWriter struct {
	comments map[string]string // by Type and Type.Field
	defs     object
}

func (s schemaWriter) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[matrix.Span]():
		return object{"type": "number"}
	case reflect.TypeFor[spec.Seed]():
		return object{"anyOf": []any{object{"type": "integer", "minimum": 0}, object{"type": "string", "pattern": "^0x[0-9a-f]{1,16}$"}}}
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[matrix.Verdict]():
		return object{"enum": matrix.Verdicts}
	case reflect.TypeFor[matrix.Direction]():
		return object{"enum": matrix.Directions}
	case reflect.TypeFor[matrix.Moment]():
		return object{"enum": matrix.Moments}
	case reflect.TypeFor[matrix.Phase]():
		return object{"enum": []matrix.Phase{matrix.Before, matrix.Under, matrix.After}}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "propertyNames": s.of(t.Key()), "additionalProperties": s.of(t.Elem())}
	case reflect.Pointer:
		return s.of(t.Elem()) // it is left out if it is nil
	case reflect.Struct:
		if s.defs[t.Name()] == nil {
			s.defs[t.Name()] = object{} // a type that holds itself ends here
			s.defs[t.Name()] = s.object(t)
		}
		return object{"$ref": "#/$defs/" + t.Name()}
	}
	panic(fmt.Sprintf("no schema for %v", t))
}

// object returns the schema of a struct. What it does not name is allowed, because another release may have added it.
func (s schemaWriter) object(t reflect.Type) object {
	properties, required := object{}, []string{}
	for field := range fieldsOf(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		property := s.of(field.Type)
		comment := s.comments[t.Name()+"."+field.Name]
		if property["enum"] == nil && strings.HasSuffix(name, "_ms") {
			comment = strings.TrimPrefix(comment+"; in milliseconds", "; ")
		}
		if comment != "" {
			property["description"] = comment
		}
		properties[name] = property
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	return object{"type": "object", "description": s.comments[t.Name()], "properties": properties, "required": required}
}

// fieldsOf yields the fields of a struct.
func fieldsOf(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// commentsOn returns the comments on the record's types and on their fields.
func commentsOn(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	text := func(groups ...*ast.CommentGroup) string {
		for _, g := range groups {
			if words := strings.Join(strings.Fields(g.Text()), " "); words != "" {
				return words
			}
		}
		return ""
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			decl, ok := node.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				return true
			}
			for _, each := range decl.Specs {
				typ := each.(*ast.TypeSpec)
				comments[typ.Name.Name] = text(typ.Doc, decl.Doc)
				fields, ok := typ.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, field := range fields.Fields.List {
					for _, name := range field.Names {
						comments[typ.Name.Name+"."+name.Name] = text(field.Doc, field.Comment)
					}
				}
			}
			return true
		})
	}
	return comments
}
