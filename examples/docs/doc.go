// Package docs has the Go code of README.md and of the pages in docs/, compiled, and run by tests. Its tests also compare
// those pages with the code: no block, option, default or error text of theirs may differ from what is really there.
//
// The first program of README.md stands in the folder quickstart.
package docs
