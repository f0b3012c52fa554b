// Package proofs holds what proves the delivery contract of README.md and docs/protocol.md, beside the packages' own tests:
//
//   - chaos: real processes over TCP, through a proxy that makes the faults of networks, with servers that are killed.
//     `make chaos`, and `make sabotage` for the same run against builds that break one promise.
//   - model: random schedules of everything that can happen, on a virtual clock.
//   - linear: concurrent histories of a room's log, checked for linearizability.
//   - million: a million messages through reconnects in one room.
//   - growth: a thousand reconnects leave nothing behind, and Close is quick in every state.
//
// `make test` runs all of them in small, `make proofs` the last four in full. Each folder's doc.go says what it proves and
// how to read what it prints. Nothing imports this module.
package proofs
