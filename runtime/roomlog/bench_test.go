package roomlog_test

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
)

// BenchmarkAppend appends messages of 200 bytes to as many rooms as there are processors. Each has a subscriber.
func BenchmarkAppend(b *testing.B) {
	m := roomlog.NewMemory(roomlog.Retention{DedupeWindow: 1e9}) // a second, so that no room is full
	payload := make([]byte, 200)
	var rooms, heard atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		room := "room " + strconv.FormatInt(rooms.Add(1), 10)
		cancel, err := m.Subscribe(b.Context(), room, func(roomlog.Record) { heard.Add(1) })
		if err != nil {
			b.Error(err)
			return
		}
		defer cancel()
		for n := uint64(1); pb.Next(); n++ {
			message := roomlog.Message{Key: strconv.FormatUint(n, 10), Session: 1, SendNumber: n, Payload: payload}
			if _, err := m.Append(b.Context(), room, message); err != nil {
				b.Error(err)
				return
			}
		}
	})
	if heard.Load() < int64(b.N) {
		b.Errorf("%d of %d messages were heard", heard.Load(), b.N)
	}
}

// BenchmarkRead reads 256 messages of a room that has 10,000.
func BenchmarkRead(b *testing.B) {
	m := roomlog.NewMemory(roomlog.Retention{})
	for i := range 10_000 {
		if _, err := m.Append(b.Context(), "r", roomlog.Message{Key: strconv.Itoa(i), Payload: make([]byte, 200)}); err != nil {
			b.Fatal(err)
		}
	}
	head, err := m.Head(b.Context(), "r")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		page, err := m.Read(b.Context(), "r", roomlog.Cursor{Epoch: head.Epoch, Seq: 5000}, roomlog.Limit{Messages: 256})
		if err != nil || len(page.Records) != 256 {
			b.Fatalf("%d records, %v", len(page.Records), err)
		}
	}
}
