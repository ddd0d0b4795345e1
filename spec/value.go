package spec

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chaosgate/chaos"
)

// kinds returns the registered kinds by name.
func kinds() map[string]chaos.Kind {
	byName := map[string]chaos.Kind{}
	for _, kind := range chaos.Kinds() {
		byName[kind.Name] = kind
	}
	return byName
}

// paramNamed returns the parameter of a kind that goes by a key, however its underscores are written.
func paramNamed(kind chaos.Kind, key string) (chaos.Param, bool) {
	i := slices.IndexFunc(kind.Params, func(p chaos.Param) bool { return p.Name == canonical(key) })
	if i < 0 {
		return chaos.Param{}, false
	}
	return kind.Params[i], true
}

// carried returns the parameter that is a selector's fault.
func carried(kind chaos.Kind) (chaos.Param, bool) {
	i := slices.IndexFunc(kind.Params, func(p chaos.Param) bool { return p.Type == "fault" })
	if i < 0 {
		return chaos.Param{}, false
	}
	return kind.Params[i], true
}

// keys returns the keys that a kind takes as key=value.
func keys(kind chaos.Kind) []string {
	var names []string
	for _, p := range kind.Params {
		if p.Type != "fault" {
			names = append(names, p.Name)
		}
	}
	return names
}

// want says what a parameter looks like.
func want(p chaos.Param) string {
	if p.Type == "choice" {
		return oneOf(p.Choices)
	}
	return wanted[p.Type]
}

// readValue sets a field to the value that a text stands for; if it stands for none, the result says what would be right.
func readValue(p chaos.Param, text string, field reflect.Value) (allowed string) {
	switch p.Type {
	case "duration":
		d, allowed := readDuration(text)
		field.SetInt(int64(d))
		return allowed
	case "size", "rate", "count":
		return readNumber(p, text, field)
	case "chance":
		chance, allowed := readChance(text)
		field.SetFloat(chance)
		return allowed
	case "flag":
		if text != "true" && text != "false" {
			return want(p)
		}
		field.SetBool(text == "true")
	case "choice":
		if !slices.Contains(p.Choices, text) {
			return want(p)
		}
		field.SetString(text)
	case "text":
		field.SetString(text)
	}
	return ""
}

// readNumber sets a field to a whole number.
func readNumber(p chaos.Param, text string, field reflect.Value) (allowed string) {
	var n int64
	switch p.Type {
	case "size":
		n, allowed = readSize(text)
	case "rate":
		n, allowed = readRate(text)
	case "count":
		var err error
		if n, err = strconv.ParseInt(text, 10, 64); err != nil {
			allowed = want(p)
		}
	}
	if allowed != "" {
		return allowed
	}
	if field.OverflowInt(n) {
		return "a smaller " + p.Type
	}
	field.SetInt(n)
	return ""
}

// valueText writes the value of a field.
func valueText(p chaos.Param, field reflect.Value) string {
	switch p.Type {
	case "duration":
		return durationText(time.Duration(field.Int()))
	case "size":
		return sizeText(field.Int())
	case "rate":
		return sizeText(field.Int()) + "/s"
	case "count":
		return strconv.FormatInt(field.Int(), 10)
	case "chance":
		return chanceText(field.Float())
	case "flag":
		return strconv.FormatBool(field.Bool())
	}
	return field.String() // a text or a choice
}

// plain reports whether a text can stand in a line as it is, without quotes.
func plain(text string) bool {
	if text == "" || !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '"' || r == '`' || !strconv.IsPrint(r) })
}
