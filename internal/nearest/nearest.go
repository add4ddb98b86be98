// Package nearest finds the known word that a misspelled word most likely means.
package nearest

import "strings"

// Word returns the known word with the smallest edit distance to word, ignoring case. It returns "" if every known
// word differs in more than a third of the letters of word.
func Word(word string, known []string) string {
	best, limit := "", max(1, len(word)/3)+1
	for _, candidate := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate), limit); d < limit {
			best, limit = candidate, d
		}
	}
	return best
}

// DidYouMean returns "; did you mean WORD?" for the known word nearest to word, or "" if none is near.
func DidYouMean(word string, known []string) string {
	if near := Word(word, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// distance returns the number of bytes to insert, delete, replace or swap with the next to turn a into b, or at least
// limit if it reaches limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			row[j+1] = last[j]
			if a[i] != b[j] {
				row[j+1] = 1 + min(last[j], row[j], last[j+1])
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
