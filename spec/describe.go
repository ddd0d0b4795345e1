package spec

import "github.com/chaosgate/chaos"

// A Description tells all about a kind of fault that a user interface needs to offer it.
type Description struct {
	Name     string             `json:"name"`
	Help     string             `json:"help"`
	Networks []string           `json:"networks"`           // on which it makes sense: "tcp", "udp", "unix"
	Selector bool               `json:"selector,omitempty"` // it carries another fault
	Params   []ParamDescription `json:"params"`
}

// A ParamDescription tells all about a parameter. The fields are those of [chaos.Param].
type ParamDescription struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Unit     string   `json:"unit,omitempty"`
	Help     string   `json:"help"`
	Want     string   `json:"want"` // what a value looks like, such as "a size with its unit, such as 64KiB"
	Default  string   `json:"default,omitempty"`
	Required bool     `json:"required,omitempty"`
	Choices  []string `json:"choices,omitempty"`
}

// Describe returns the descriptions of all kinds, sorted by name.
func Describe() []Description {
	var all []Description
	for _, kind := range chaos.Kinds() {
		d := Description{Name: kind.Name, Help: kind.Help, Networks: []string{"tcp", "udp", "unix"}, Params: []ParamDescription{}}
		switch {
		case kind.NoDatagrams:
			d.Networks = []string{"tcp", "unix"}
		case kind.OnlyDatagrams:
			d.Networks = []string{"udp"}
		}
		_, d.Selector = carried(kind)
		for _, p := range kind.Params {
			d.Params = append(d.Params, ParamDescription{
				Name: p.Name, Type: p.Type, Unit: p.Unit, Help: p.Help, Want: want(p),
				Default: p.Default, Required: p.Required, Choices: p.Choices,
			})
		}
		all = append(all, d)
	}
	return all
}
