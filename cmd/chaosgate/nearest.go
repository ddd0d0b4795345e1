package main

import "fmt"

// didYouMean returns a question that names the word nearest to the given one, or "" if none is near.
func didYouMean(given string, words []string) string {
	best, least := "", (len(given)+1)/3+1 // more than a third of it wrong is another word
	for _, word := range words {
		if d := distance(given, word); d < least {
			best, least = word, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %s?", best)
}

// distance counts the bytes to insert, delete or replace to make b of a (Levenshtein's distance).
func distance(a, b string) int {
	row := make([]int, len(b)+1) // row[j] is the distance between what was seen of a and b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
