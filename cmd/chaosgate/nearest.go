package main

import (
	"fmt"

	"github.com/chaosgate/chaos/spec"
)

// didYouMean returns a question that names the word nearest to the given one, or "" if none is near.
func didYouMean(given string, words []string) string {
	if best := spec.Nearest(given, words); best != "" {
		return fmt.Sprintf(", did you mean %s?", best)
	}
	return ""
}
