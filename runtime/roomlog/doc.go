// Package roomlog is what a server keeps the logs of its rooms in: the interface [Engine], and an engine in memory.
//
// A log has what was said in a room, in one order, and knows which sends it has already. A server appends to it before it
// tells a sender that a message was taken, reads from it for whoever comes back, and subscribes to it for whoever is there.
// Where several servers share an engine they share their rooms' logs.
package roomlog
