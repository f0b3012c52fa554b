// Package model draws schedules of everything that can happen, runs each with the real session and server in a
// testing/synctest bubble, and keeps the books: what must hold is package ledger's.
//
//	go test ./model -rapid.checks 2000
//	go test ./model -run Schedule -rapid.seed 123     # again what has failed
//
// A [schedule] is plain data: who takes part (users in rooms, windows, slow handlers, cursor stores, sessions that hear
// themselves), and steps: bursts of sends, sends that are given up, cuts, silence, restarts of the server with the log kept,
// logs that are lost, programs that end and start again, joins and leaves, lost and repeated receipts, overlapping replays,
// waits. pgregory.net/rapid draws it, and makes it smaller as long as it fails. After the last step everything is healed,
// and minutes of virtual time pass: by then every send must have its result, and every reader what it is owed.
package model
