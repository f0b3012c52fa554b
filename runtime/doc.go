// Package runtime is what generated code calls: kinds and their encodings, validation, the messages that handlers
// and interceptors see, and errors. It knows no message kind and no connection.
//
// A generated client talks to a [Session], which package session implements; generated hooks talk to a [Server],
// which package server implements. Both are told once, before they start, what a generated package has
// ([Registration]), and never after: no lock guards it.
//
// The way of a message out:
//
//	SendText → Send → Session.Send → send interceptors → Outgoing.Encode (validates, encodes) → the stream
//
// and in:
//
//	the stream → Router.Decode (decodes, validates) → receive interceptors → Router.Handle → OnText
//
// Every type here is safe for concurrent use after it was built, unless its comment says otherwise. A [Message], an
// [Incoming] and an [Outgoing] belong to the goroutine that was given them.
package runtime
