// Package docs has the Go code of README.md and of the pages in docs/, compiled, and run by tests. A test in the folder docs
// at the top of the repository sees to it that the pages show this code and no other.
//
// The first program of README.md stands in the folder quickstart.
package docs
