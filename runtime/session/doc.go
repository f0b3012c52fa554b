// Package session is one user's live session with an IM service: a stream that comes back by itself, rooms that are
// joined again, sends that tell what became of them, and handlers that run in order.
//
//	s, err := session.Dial("dns:///im.example.com:8083", session.WithUser("user001"), session.WithRoom("room001"))
//	im, err := imv1sdk.NewClient(s, imv1sdk.Handlers{OnText: …})
//	err = s.Connect(ctx)
//	receipt, err := im.SendText(ctx, "room001", &imv1.TextContent{Text: "hi"})
//
// A session moves through the states idle, connecting, connected, reconnecting and closed; docs/protocol.md of the
// repository has the diagram, and what travels. It talks to servers of this project and to those deployed before it;
// [Session.Capabilities] tells what the live stream has.
//
// # What runs where
//
// A message's handler, interceptors and WithOnMessage run in a goroutine of the message's room: in order within a room,
// rooms side by side (WithLanes). Lifecycle functions (WithOnConnect, WithOnError, …) run in one goroutine of their
// own, in order. None of them holds up the stream, heartbeats or each other, except that a room whose handler is so
// slow that its lane fills makes the session read no further where the server has no flow control. No lock is held
// while they run: they may call anything on the session, Close included.
//
// # Errors
//
// Calls return a [*runtime.Error] with a gRPC code. Sentinels (ErrClosed, ErrNotConnected, ErrMaybeDelivered, …) are
// found with errors.Is, what is wrong with a content with runtime.Violations.
package session
