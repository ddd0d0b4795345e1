package matrix

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible returns text that came over a wire or from a program in a form that commands neither a terminal nor a browser:
// it is valid UTF-8, and what cannot be seen is written out. Ends of lines and tabs stay.
func visible(s string) string {
	isPlain := func(r rune) bool { return r == '\n' || r == '\t' || unicode.IsGraphic(r) && r != utf8.RuneError }
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !isPlain(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range strings.ReplaceAll(s, "\r\n", "\n") {
		switch {
		case isPlain(r) || r == utf8.RuneError:
			b.WriteRune(r)
		case r < ' ':
			b.WriteRune(0x2400 + r) // Unicode has a picture of each
		case r == 0x7f:
			b.WriteRune(0x2421)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// readable returns a copy of the report whose texts are all visible. What is written for people or for other programs is
// written from it, so that no form can forget one.
func (r *Report) readable() *Report {
	out := reflect.New(reflect.TypeFor[Report]())
	copyVisible(out.Elem(), reflect.ValueOf(r).Elem())
	return out.Interface().(*Report)
}

// copyVisible copies a value deeply, with its strings made visible. A struct that hides fields, as a time does, is copied as it is.
func copyVisible(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.String:
		to.SetString(visible(from.String()))
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			copyVisible(to.Elem(), from.Elem())
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				copyVisible(to.Index(i), from.Index(i))
			}
		}
	case reflect.Map:
		to.Set(reflect.MakeMap(from.Type()))
		for key, value := range from.Seq2() {
			clean := reflect.New(key.Type()).Elem()
			copyVisible(clean, key)
			to.SetMapIndex(clean, value)
		}
	case reflect.Struct:
		to.Set(from)
		for i := range from.NumField() {
			if to.Field(i).CanSet() {
				copyVisible(to.Field(i), from.Field(i))
			}
		}
	default:
		to.Set(from)
	}
}

// oneLine returns text without ends of lines, and not longer than so many characters.
func oneLine(s string, longest int) string {
	s = strings.Join(strings.Fields(strings.ReplaceAll(strings.TrimSpace(s), "\n", " ⏎ ")), " ")
	if utf8.RuneCountInString(s) <= longest {
		return s
	}
	return string([]rune(s)[:longest-1]) + "…"
}

// ends returns the beginning and the end of a long text, and says how much there was between them.
func ends(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	head, tail := longest*2/3, len(s)-longest/3
	for !utf8.RuneStart(s[head]) {
		head--
	}
	for tail < len(s) && !utf8.RuneStart(s[tail]) {
		tail++
	}
	return fmt.Sprintf("%s\n… %d bytes are left out …\n%s", s[:head], tail-head, s[tail:])
}

// bytesText returns a number of bytes as a person would say it.
func bytesText(n int64) string {
	size, unit := float64(n), ""
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < 1024 {
			break
		}
		size, unit = size/1024, larger
	}
	switch {
	case n == 1:
		return "1 byte"
	case unit == "":
		return fmt.Sprintf("%d bytes", n)
	case size < 10:
		return fmt.Sprintf("%.1f %s", size, unit)
	}
	return fmt.Sprintf("%.0f %s", size, unit)
}

// count returns a number of things, as in "1 cell" and "2 cells".
func count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Words returns the direction as people read it.
func (d Direction) Words() string {
	switch d {
	case ToServer:
		return "to server"
	case ToClient:
		return "to client"
	case Both:
		return "both ways"
	}
	return string(d)
}

// Words returns the moment as people read it.
func (m Moment) Words() string {
	switch m {
	case Connecting:
		return "connecting"
	case Idle:
		return "idle connection"
	case Underway:
		return "request under way"
	}
	return string(m)
}
