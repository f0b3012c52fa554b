// Package ledger is the bookkeeping of the proofs: what was sent, what became of it, who got what, and which gaps were told.
// From that it decides whether the delivery contract was kept, knowing nothing of how.
//
// A [Message] is named by its sender, its room and a number that the sender counts up in that room, from 1; the name travels
// as the message's text. Whoever sees something happen makes an [Event] of it. A [Book] takes the events of all of them, in
// any order but that each reader's come in the order in which it saw them, and [Book.Audit] counts.
package ledger
