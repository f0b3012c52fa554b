// Package balancer names the policies that spread calls over a target's servers. They are gRPC's own: gRPC picks a
// server for each call, and a session's stream is one call that lasts. Nothing moves a live stream.
//
// Policies are registered in gRPC's global table, as gRPC wants it, by their own packages.
package balancer
