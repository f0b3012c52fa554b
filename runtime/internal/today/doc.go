// Package today has a server and a client as they are deployed today, for tests: they know nothing of this project's
// handshake, and each writes down whatever it was sent that a peer of today could not know.
//
// Both are written from the description of the deployed protocol (docs/protocol.md, "Today's protocol"), not from
// this project's session and server, and import only gRPC and the generated envelope: an error of ours is not made
// twice. They never look at a field of number 16 or above.
//
// [Server] is an imv1.IMServiceServer to be registered in a grpc.Server; [Options] has the ways in which deployed
// servers differ. [Client] is one user on one stream that is never opened again. A test ends with
//
//	if v := srv.Violations(); len(v) > 0 { … }
//
// Everything is safe for concurrent use. Both run inside testing/synctest: they wait on channels and timers only.
package today
