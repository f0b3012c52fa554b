// Package server is IMService as a library: rooms, memberships, fan-out, receipts, heartbeats, audio, to embed in any
// grpc.Server.
//
//	srv, err := server.New()
//	_, err = imv1server.Register(srv, imv1server.Hooks{}) // contents are validated, with or without hooks
//	grpcServer := grpc.NewServer(server.GRPCOptions()...)
//	imv1.RegisterIMServiceServer(grpcServer, srv)
//	go grpcServer.Serve(listener)
//	…
//	srv.Close()
//	grpcServer.Stop()
//
// Generated hooks and publishers work on a [Server]: they call [Server.Register] before it serves and [Server.Publish]
// at any time. A kind that no package has registered travels as its bytes, unseen.
//
// # What a message goes through
//
//	Recv → envelope's bounds → identity → room and membership → repeat? → kind: decode, validate → hook
//	     → the room's log and every reader's queue, in one step → receipt
//
// One goroutine per stream receives, one handles (hooks run here), one sends. A room has one lock, which is held while
// a message is appended and put into the readers' queues, never while an operator's function runs or the network is waited
// for: so all readers of a room see one order, and a slow reader delays nobody. A reader whose queue is full is
// ended with RESOURCE_EXHAUSTED; nothing is left out silently. A hook holds up what its own stream sent after it, heartbeats
// included: one that takes longer than the client's heartbeat timeout (5 s) makes the client reconnect.
//
// # Who is trusted
//
// By default nobody proves anything: the user is what the metadata user-id or the first message says, nickname and role
// are what the client asks for, and every room may be joined. [WithAuthenticator], [WithJoinHook] and [WithRoomPolicy]
// change that.
//
// # Clients of today
//
// A client without the handshake (docs/protocol.md) gets plain messages only: no receipts, no control frames, no
// copy of what it sent itself unless [WithEchoToday]. What is refused is not told to it; the log has it.
//
// # Limits of this version
//
// A room's log is a list in memory: it recognises repeats, and no stream is resumed from it. One process serves a room.
package server
