// Package million sends a million messages to one room, through connections that break at random points, and checks that two
// readers get the whole log: all of it, in order, nothing twice.
//
//	go test ./million -v -million.count 1000000
//
// It uses the real clock. What it prints: messages, reconnects of all sessions, and how long it took.
package million
