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
//	     → the room's log → receipt, and every reader's stream
//
// One goroutine per stream receives, one handles (hooks run here), one sends. The sender takes what comes next for its
// reader from each room's log, as much as the reader's window lets it, and control frames before all else: so all
// readers of a room see one order, a reader that comes back goes on at its cursor, and a slow one delays nobody. A hook
// holds up what its own stream sent after it, heartbeats included: one that takes longer than the client's heartbeat
// timeout (5 s) makes the client reconnect.
//
// # Logs
//
// A room's log lies in an engine of package roomlog ([WithLog]); by default in memory, for one server process. It
// outlives its room: what was said while everybody was away is there when they come back, as far as its retention
// reaches. Servers that share an engine share the messages of their rooms; who is in a room, each server knows of its
// own streams only, and an ACK finds its sender only on the same server.
//
// [Server.Drain] takes a server out of service without losing anything, [Server.Close] ends it at once.
//
// # Who is trusted
//
// By default nobody proves anything: the user is what the metadata user-id or the first message says, nickname and role
// are what the client asks for, and every room may be joined. [WithAuthenticator], [WithJoinHook] and [WithRoomPolicy]
// change that.
//
// # Clients of today
//
// A client without the handshake (docs/protocol.md) gets plain messages only: no receipts, no control frames, no copy
// of what it sent itself unless [WithEchoToday]. What is refused is not told to it; the log has it.
package server
