package chaos

import (
	"fmt"
	"slices"
	"strings"
)

// setNamed sets a value that is a number to the one that has a name.
func setNamed[T ~uint8](value *T, name []byte, names []string) error {
	at := slices.Index(names, string(name))
	if at < 0 {
		last := len(names) - 1
		return fmt.Errorf("got %q, want %s or %s", name, strings.Join(names[:last], ", "), names[last])
	}
	*value = T(at)
	return nil
}
