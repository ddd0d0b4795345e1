package spec

import (
	"strings"
	"testing"

	"github.com/chaosgate/chaos"
)

func TestElsewhereLeadsToKinds(t *testing.T) {
	known := kinds()
	for name, here := range elsewhere {
		if _, ok := known[name]; ok {
			t.Errorf("%s: got the name of a kind, want one that is unknown here", name)
		}
		for text := range strings.SplitSeq(here, " or ") {
			kind, rest, _ := strings.Cut(text, " ")
			if _, ok := known[kind]; !ok {
				t.Errorf("%s: got %s, want a kind", name, kind)
			}
			if rest == "" {
				continue
			}
			if fault, err := ParseFault(text); err != nil || chaos.KindOf(fault) != kind {
				t.Errorf("%s: got %v and %v for %q, want a fault", name, fault, err, text)
			}
		}
	}
}
