// Package roomlog is what a server keeps the logs of its rooms in: the interface [Engine], and an engine in memory.
//
// A log has what was said in a room, in one order, and knows which sends it has already. A server appends to it before it
// tells a sender that a message was taken, reads from it for whoever comes back, and subscribes to it for whoever is there.
// Where several servers share an engine they share their rooms' logs.
//
// [Memory] is the engine of a server that is given no other: 10,000 messages, 4 MiB and an hour for each room, 256 MiB for all
// of them, repeats known for two minutes, two million of them. It ends with its process. Package roomlogtest is the suite
// that every engine passes; docs/log-engines.md says how one is made.
package roomlog
