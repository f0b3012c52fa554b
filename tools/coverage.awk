# Reads a coverage profile of go test and prints the share of covered statements, of each package and in total. A block
# stands there once for each test binary; it is covered if one of them ran it.
FNR > 1 {
	statements[$1] = $2
	if ($3 > 0) covered[$1] = 1
}
END {
	for (block in statements) {
		package = block
		sub(/\/[^\/]*$/, "", package)
		all[package] += statements[block]
		all["total"] += statements[block]
		if (block in covered) {
			hit[package] += statements[block]
			hit["total"] += statements[block]
		}
	}
	for (package in all) {
		printf "%6.1f%%  %s (%d of %d statements)\n", 100 * hit[package] / all[package], package, hit[package], all[package]
	}
}
