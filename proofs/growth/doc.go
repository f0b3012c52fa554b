// Package growth shows that nothing grows: a thousand reconnects leave goroutines and heap of client and server as they were,
// and Close returns within a second whatever the session is doing.
//
//	go test ./growth -v -growth.reconnects 1000
//
// Clocks are virtual. It prints goroutines and heap before and after; a leak that is planted, of either, must be noticed.
package growth
