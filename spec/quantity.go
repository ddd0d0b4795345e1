package spec

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What each type of parameter looks like, for error messages and descriptions.
var wanted = map[string]string{
	"duration": "a duration with its unit, such as 200ms",
	"size":     "a size with its unit, such as 64KiB",
	"rate":     "a rate with its unit, such as 64KiB/s or 10Mbit/s",
	"chance":   "a chance such as 10% or 0.1",
	"count":    "a whole number such as 3",
	"flag":     "true or false",
	"text":     "a text",
	"fault":    "the fault that it carries, such as delay by=200ms",
}

var durationForm = regexp.MustCompile(`^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$`)

// readDuration reads a duration as Go writes it; the second result says what would be right if it is not one.
func readDuration(text string) (time.Duration, string) {
	if !durationForm.MatchString(text) {
		return 0, wanted["duration"]
	}
	d, err := time.ParseDuration(text)
	if err != nil { // of the right form, so it is too long
		return 0, "a duration of at most 8760h"
	}
	return d, ""
}

// durationText writes a duration as Go does, without the zero minutes and seconds at its end.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// A unit is a name for a number of bytes: of so many bits.
type unit struct {
	name string
	bits int64
}

var (
	sizeUnits = []unit{
		{"B", 8},
		{"KB", 8e3},
		{"MB", 8e6},
		{"GB", 8e9},
		{"TB", 8e12},
		{"KiB", 8 << 10},
		{"MiB", 8 << 20},
		{"GiB", 8 << 30},
		{"TiB", 8 << 40},
	}
	bitUnits = []unit{{"bit", 1}, {"kbit", 1e3}, {"Mbit", 1e6}, {"Gbit", 1e9}}
)

// A number has few enough digits that exact arithmetic with it stays cheap.
var quantityForm = regexp.MustCompile(`^([+-]?\d{1,30}(?:\.\d{1,30})?)([A-Za-z]+)$`)

// readSize reads a number of bytes with its unit; the second result says what would be right if it is not one.
func readSize(text string) (int64, string) { return readQuantity("size", text, sizeUnits) }

// readRate reads a number of bytes a second with its unit; the second result says what would be right if it is not one.
func readRate(text string) (int64, string) {
	size, ok := strings.CutSuffix(text, "/s")
	if !ok {
		return 0, wanted["rate"]
	}
	return readQuantity("rate", size, append(sizeUnits[:len(sizeUnits):len(sizeUnits)], bitUnits...))
}

// readQuantity reads a whole number of bytes, exactly.
func readQuantity(what, text string, units []unit) (int64, string) {
	parts := quantityForm.FindStringSubmatch(text)
	if parts == nil {
		return 0, wanted[what]
	}
	for _, u := range units {
		if u.name != parts[2] {
			continue
		}
		bytes, _ := new(big.Rat).SetString(parts[1])
		bytes.Mul(bytes, big.NewRat(u.bits, 8))
		switch {
		case !bytes.IsInt():
			return 0, "a whole number of bytes"
		case !bytes.Num().IsInt64():
			return 0, "a " + what + " of at most 1024TiB"
		}
		return bytes.Num().Int64(), ""
	}
	perSecond := ""
	if what == "rate" {
		perSecond = "/s"
	}
	var names, meant []string
	for _, u := range units {
		names = append(names, u.name)
		// In a rate kb may be kilobytes as well as kilobits.
		if strings.EqualFold(u.name, parts[2]) || strings.EqualFold(u.name, parts[2]+"it") {
			meant = append(meant, parts[1]+u.name+perSecond)
		}
	}
	if len(meant) > 0 {
		return 0, oneOf(meant)
	}
	return 0, "a " + what + " in " + oneOf(names)
}

// sizeText writes a number of bytes in the unit in which it is whole and shortest.
func sizeText(bytes int64) string {
	best := strconv.FormatInt(bytes, 10) + "B"
	for _, u := range sizeUnits {
		if size := u.bits / 8; bytes != 0 && bytes%size == 0 {
			if s := strconv.FormatInt(bytes/size, 10) + u.name; len(s) < len(best) {
				best = s
			}
		}
	}
	return best
}

var chanceForm = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)(%|[eE][+-]?\d+)?$`)

// readChance reads a fraction of one, as such or in percent; the second result says what would be right if it is not one.
func readChance(text string) (float64, string) {
	if !chanceForm.MatchString(text) {
		return 0, wanted["chance"]
	}
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		text = percent + "e-2" // dividing by 100 would round a second time
	}
	chance, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, wanted["chance"]
	}
	return chance, ""
}

// chanceText writes a chance in percent, or as a fraction where that would be a long row of zeros.
func chanceText(chance float64) string {
	const small = 1e-6
	if chance < 0 || chance > 1 || chance != chance || chance > 0 && chance < small {
		return strconv.FormatFloat(chance, 'g', -1, 64)
	}
	// The point is moved in the decimal digits, for the same reason.
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(chance, 'f', -1, 64), ".")
	fraction += "00"
	percent := strings.TrimLeft(whole+fraction[:2], "0")
	if percent == "" {
		percent = "0"
	}
	if rest := strings.TrimRight(fraction[2:], "0"); rest != "" {
		percent += "." + rest
	}
	return percent + "%"
}
