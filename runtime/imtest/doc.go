// Package imtest is for tests of bots, servers and whatever else uses this SDK: an in-process server and sessions on
// it over an in-memory connection, without a port.
//
//	func TestBotAnswers(t *testing.T) {
//		srv := imtest.NewServer(t)
//		startBot(t, srv.Dial("bot"))                // what is tested
//		alice := srv.Session("alice")               // connected
//		…
//	}
//
// The server is the one of package server, with its rooms, receipts and heartbeats; options, hooks and publishers go
// in through [WithServerOptions] and [WithSetup]. [Server.Cut] breaks every connection, [Server.Freeze] makes each one
// silent without breaking it, [Server.Stop], [Server.Start] and [Server.Restart] do what an operator does. Sessions
// come back by themselves, as they do in production.
//
// Everything that imtest makes ends with the test, in the right order: nothing leaks, and nothing is to be closed by
// the test.
//
// # Inside testing/synctest
//
// Make the server in the bubble, with the bubble's own t, and clocks are virtual: ten minutes of heartbeats take no
// time, and synctest.Wait returns when every message has arrived and every handler has returned.
//
//	synctest.Test(t, func(t *testing.T) {
//		srv := imtest.NewServer(t)
//		…
//		time.Sleep(10 * time.Minute)
//	})
//
// # Over TCP
//
// [NewProxy] stands on a port between clients and a server, in this process or another, and makes the faults of
// networks while connections live: it cuts, freezes, swallows, refuses, delays and throttles. It uses real sockets and
// the real clock, and so belongs in no bubble.
//
// # Concurrency
//
// All methods are safe for concurrent use, but those that may end the test ([NewServer], [NewProxy],
// [Server.Dial], [Server.Session], [Server.Conn], [Server.Start], [Server.Restart]) belong to the test's goroutine.
package imtest
