package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/spec"
)

// newRegistry returns what turns Go types into schemas. Types that read and write themselves have theirs here.
func newRegistry() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", schemaName)
	for of, schema := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[spec.Fault]():      reflect.TypeFor[faultSchema](),
		reflect.TypeFor[spec.Entry]():      reflect.TypeFor[entrySchema](),
		reflect.TypeFor[spec.Entries]():    reflect.TypeFor[listSchema](),
		reflect.TypeFor[entries]():         reflect.TypeFor[someSchema](),
		reflect.TypeFor[gates]():           reflect.TypeFor[gatesSchema](),
		reflect.TypeFor[spec.Seed]():       reflect.TypeFor[seedSchema](),
		reflect.TypeFor[spec.Duration]():   reflect.TypeFor[durationSchema](),
		reflect.TypeFor[spec.Size]():       reflect.TypeFor[sizeSchema](),
		reflect.TypeFor[chaos.Door]():      reflect.TypeFor[doorSchema](),
		reflect.TypeFor[chaos.Direction](): reflect.TypeFor[directionSchema](),
		reflect.TypeFor[chaos.End]():       reflect.TypeFor[endSchema](),
		reflect.TypeFor[chaos.State]():     reflect.TypeFor[stateSchema](),
		reflect.TypeFor[chaos.EventType](): reflect.TypeFor[string](),
	} {
		r.RegisterTypeAlias(of, schema)
	}
	return r
}

// schemaName returns what the schema of a type is called. What is asked for and what there is go by the same names in Go.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if strings.HasSuffix(t.PkgPath(), "/spec") && t.Kind() == reflect.Struct {
		name += "Spec"
	}
	return name
}

// refer puts a schema among the others, by a name, and returns what refers to it.
func refer(r huma.Registry, name string, make func() *huma.Schema) *huma.Schema {
	if r.Map()[name] == nil {
		r.Map()[name] = &huma.Schema{} // it may refer to itself
		*r.Map()[name] = *make()
	}
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

type (
	faultSchema     struct{}
	entrySchema     struct{}
	listSchema      struct{}
	someSchema      struct{}
	gatesSchema     struct{}
	seedSchema      struct{}
	durationSchema  struct{}
	sizeSchema      struct{}
	doorSchema      struct{}
	directionSchema struct{}
	endSchema       struct{}
	stateSchema     struct{}
)

func text(doc string, examples ...any) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: doc, Examples: examples}
}

// names are a text that is one of the names of the values 0, 1, 2…
func names[T interface {
	~uint8
	String() string
}](last T,
) *huma.Schema {
	s := text("")
	for v := T(0); v <= last; v++ {
		s.Enum = append(s.Enum, v.String())
	}
	return s
}

// Schema is the schema of a fault: a text, or an object with its kind as the only key.
func (faultSchema) Schema(r huma.Registry) *huma.Schema {
	return refer(r, "Fault", func() *huma.Schema {
		kinds := map[string]*huma.Schema{}
		for _, d := range spec.Describe() {
			kind := &huma.Schema{Type: huma.TypeObject, Description: d.Help, Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
			for _, p := range d.Params {
				kind.Properties[p.Name] = paramSchema(r, p)
				if p.Required {
					kind.Required = append(kind.Required, p.Name)
				}
			}
			kinds[d.Name] = kind
		}
		one := 1
		return &huma.Schema{Description: "a fault: as a line, or as an object with its kind as the only key", OneOf: []*huma.Schema{
			text("the fault as a line", "delay by=200ms jitter=20ms"),
			{Type: huma.TypeObject, Properties: kinds, AdditionalProperties: false, MinProperties: &one, MaxProperties: &one},
		}}
	})
}

// paramSchema is the schema of a fault's parameter.
func paramSchema(r huma.Registry, p spec.ParamDescription) *huma.Schema {
	doc := p.Help + ": " + p.Want
	if p.Default != "" {
		doc += "; " + p.Default + " if it is not said"
	}
	s := text(doc)
	switch p.Type {
	case "fault":
		return faultSchema{}.Schema(r)
	case "count":
		s.Type = huma.TypeInteger
	case "flag":
		s.Type = huma.TypeBoolean
	case "chance":
		s = &huma.Schema{Description: doc, OneOf: []*huma.Schema{{Type: huma.TypeNumber}, {Type: huma.TypeString}}}
	case "choice":
		for _, choice := range p.Choices {
			s.Enum = append(s.Enum, choice)
		}
	}
	return s
}

// Schema is the schema of an entry: a fault, or an object that has one.
func (entrySchema) Schema(r huma.Registry) *huma.Schema {
	return refer(r, "Entry", func() *huma.Schema {
		return &huma.Schema{Description: "a fault, or an object that has one", OneOf: []*huma.Schema{faultSchema{}.Schema(r), {
			Type: huma.TypeObject, AdditionalProperties: false, Required: []string{"fault"}, Properties: map[string]*huma.Schema{
				"fault": faultSchema{}.Schema(r),
				"id":    text("names the fault at its gate; made from its kind if it is not said"),
				"for":   text("after how long it is lifted; if it is not said, nothing lifts it", "10s"),
				"lease": text("the lease that it is lifted with"),
			},
		}}}
	})
}

// Schema is the schema of a list of entries, which may be a text.
func (listSchema) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeArray, Items: entrySchema{}.Schema(r)},
		text("faults as a line", "delay by=200ms bandwidth rate=64KiB/s"),
	}}
}

// Schema is the schema of one entry, or of more.
func (someSchema) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{entrySchema{}.Schema(r), listSchema{}.Schema(r)}}
}

// Schema is the schema of a desired state.
func (gatesSchema) Schema(r huma.Registry) *huma.Schema {
	list := &huma.Schema{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[spec.Gate](), true, "")}
	return &huma.Schema{OneOf: []*huma.Schema{list, {
		Type: huma.TypeObject, AdditionalProperties: false, Required: []string{"gates"}, Properties: map[string]*huma.Schema{"gates": list},
	}}}
}

// Schema is the schema of a seed.
func (seedSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeInteger}, text("a number of 64 bits", "0xfeedface")}}
}

// Schema is the schema of a duration.
func (durationSchema) Schema(huma.Registry) *huma.Schema {
	return text("a duration with its unit", "200ms", "1h30m")
}

// Schema is the schema of a size.
func (sizeSchema) Schema(huma.Registry) *huma.Schema {
	return text("a size with its unit", "64KiB", "1.5MB")
}

// Schema is the schema of a door.
func (doorSchema) Schema(huma.Registry) *huma.Schema { return names(chaos.Blackhole) }

// Schema is the schema of a direction.
func (directionSchema) Schema(huma.Registry) *huma.Schema { return names(chaos.ToClient) }

// Schema is the schema of an end.
func (endSchema) Schema(huma.Registry) *huma.Schema { return names(chaos.Abort) }

// Schema is the schema of a connection's state.
func (stateSchema) Schema(huma.Registry) *huma.Schema { return names(chaos.Closed) }
