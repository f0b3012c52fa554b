package server

import "sync/atomic"

// Stats counts what the server has done since it was made; Streams and Rooms are what is there now.
type Stats struct {
	// Streams and Rooms that are there now.
	Streams, Rooms int
	// Received envelopes, control frames included.
	Received uint64
	// Appended messages, notices included.
	Appended uint64
	// Duplicates are repeats that were recognised.
	Duplicates uint64
	// Delivered messages: each counts once for each stream that it was taken for.
	Delivered uint64
	// Refused messages, joins and acknowledgements.
	Refused uint64
	// Gaps that readers were told of.
	Gaps uint64
	// SlowReaders are streams that were ended because their queue was full, or the log had gone on without them.
	SlowReaders uint64
	// Silent are streams that were ended because nothing was heard from the client.
	Silent uint64
	// Panics of hooks and other functions of the operator.
	Panics uint64
	// Audios that were uploaded.
	Audios uint64
}

type counters struct {
	received, appended, duplicates, delivered, refused, gaps, slowReaders, silent, panics, audios atomic.Uint64
}

// Stats tells what the server has done. The numbers are not of one instant.
func (s *Server) Stats() Stats {
	return Stats{
		Streams:     s.streams.count(),
		Rooms:       s.rooms.count(),
		Received:    s.counts.received.Load(),
		Appended:    s.counts.appended.Load(),
		Duplicates:  s.counts.duplicates.Load(),
		Delivered:   s.counts.delivered.Load(),
		Refused:     s.counts.refused.Load(),
		Gaps:        s.counts.gaps.Load(),
		SlowReaders: s.counts.slowReaders.Load(),
		Silent:      s.counts.silent.Load(),
		Panics:      s.counts.panics.Load(),
		Audios:      s.counts.audios.Load(),
	}
}
