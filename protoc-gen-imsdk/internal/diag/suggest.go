package diag

import "strings"

// Suggest is the candidate that somebody who wrote name most likely meant, or "" if none is close. A candidate that
// ends in the name, at a word's start, is closer than any misspelling: TEXT means MESSAGE_TYPE_TEXT.
func Suggest(name string, candidates []string) string {
	if name == "" {
		return ""
	}
	best, bestDistance := "", max(2, len(name)/4)+1
	for _, candidate := range candidates {
		distance := editDistance(strings.ToUpper(name), strings.ToUpper(candidate))
		if endsInWord(candidate, name) {
			distance = 1
		}
		if distance < bestDistance {
			best, bestDistance = candidate, distance
		}
	}
	return best
}

func endsInWord(candidate, name string) bool {
	rest, ok := strings.CutSuffix(strings.ToUpper(candidate), strings.ToUpper(name))
	return ok && (strings.HasSuffix(rest, "_") || strings.HasSuffix(rest, "."))
}

// editDistance counts the bytes to insert, delete or replace that turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
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
