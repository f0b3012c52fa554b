// Package remotelog puts a log engine into another process than its servers: [Serve] there, [Dial] in each server, with
// net/rpc between them. It is made for proofs: it is right, and simple, and not quick.
//
// A call that finds no connection dials once. If that or the call fails the error says that the log could not be reached, and
// nobody knows whether it did what it was asked for; the log itself recognises what comes twice. A subscription survives lost
// connections: it asks for what follows the last record that it has, and waits for it at the other end.
package remotelog
