package server_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/protobuf/proto"
)

func TestTheServerKeepsNoMoreInFlightThanTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithWindow(4000))
		writer := s.knowing("writer", "r", 9, 1)
		reader, welcome := s.resuming("reader", "r", 1, 1)
		if welcome.GetWindowBytes() != 4000 {
			t.Errorf("window %d", welcome.GetWindowBytes())
		}
		last := reader.want(joinRoom)
		page := strings.Repeat("x", 1000)
		for i := range 20 {
			writer.say("r", strconv.Itoa(i), page)
		}
		flying := []*imv1.MessageResponse{last} // not handled yet
		bytes, most := proto.Size(last), 0
		for seen := 0; seen < 20; seen++ {
			if bytes+1100 > 4000 { // the next one would be too much
				reader.silent() // heartbeats need no window
				bytes -= proto.Size(flying[0])
				reader.handled(cursor("r", flying[0].GetEpoch(), flying[0].GetSeq()))
				flying = flying[1:]
				if bytes+1100 > 4000 {
					reader.silent()
					seen--
					continue
				}
			}
			last = reader.wantTexts(last.GetSeq(), page)
			flying = append(flying, last)
			bytes += proto.Size(last)
			most = max(most, bytes)
		}
		if most > 4000 || most < 3000 {
			t.Errorf("%d bytes were in flight at the most", most)
		}
		reader.silent()
	})
}

func TestOneMessageLargerThanTheWindowGoesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithWindow(2000))
		writer := s.knowing("writer", "r", 9, 1)
		reader, _ := s.resuming("reader", "r", 1, 1)
		last := reader.want(joinRoom)
		large := strings.Repeat("x", 10_000)
		writer.say("r", "1", large)
		writer.say("r", "2", "small")
		reader.silent() // not beside another one
		reader.handled(cursor("r", last.GetEpoch(), last.GetSeq()))
		last = reader.wantTexts(last.GetSeq(), large)
		reader.silent()
		reader.handled(cursor("r", last.GetEpoch(), last.GetSeq()))
		reader.wantTexts(last.GetSeq(), "small")
	})
}

func TestARoomWhoseWindowIsUsedUpDelaysNoOtherRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithWindow(2000))
		writer := s.knowing("writer", "full", 9, 1)
		reader, _ := s.resuming("reader", "full", 1, 1)
		reader.want(joinRoom)
		reader.join("other", nil)
		reader.want(joinRoom)
		writer.wantAfterOthers(joinRoom)
		writer.join("other", nil)
		reader.want(joinRoom)
		for i := range 10 {
			writer.say("full", strconv.Itoa(i), strings.Repeat("x", 1000))
		}
		reader.want(text)
		reader.silent()
		writer.say("other", "1", "one")
		reader.wantText("one")
	})
}

func TestACursorOfAnotherLogOpensNoWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithWindow(2000))
		writer := s.knowing("writer", "r", 9, 1)
		reader, _ := s.resuming("reader", "r", 1, 1)
		reader.want(joinRoom)
		for i := range 3 {
			writer.say("r", strconv.Itoa(i), strings.Repeat("x", 1500))
		}
		last := reader.want(text)
		reader.handled(cursor("r", last.GetEpoch()+1, 1000), cursor("nowhere", 1, 1))
		reader.send(&imv1.MessageRequest{Type: imv1.MessageType_MESSAGE_TYPE_CURSOR, Content: []byte{0xff}}) // no cursors
		reader.silent()
		reader.handled(cursor("r", last.GetEpoch(), last.GetSeq()))
		reader.want(text)
		reader.silent()
	})
}

func TestAClientMayWantASmallerWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, server.WithWindow(9000))
		for asked, want := range map[uint64]uint64{0: 9000, 1: 1024, 5000: 5000, 1 << 40: 9000} {
			_, welcome := s.greet("anna", "r", &imsdkv1.Hello{Version: 1, Capabilities: allCapabilities(), WindowBytes: asked})
			if welcome.GetWindowBytes() != want {
				t.Errorf("asked for %d, got %d", asked, welcome.GetWindowBytes())
			}
		}
		_, welcome := s.greet("anna", "r", &imsdkv1.Hello{Version: 1, Capabilities: []imsdkv1.Capability{
			imsdkv1.Capability_CAPABILITY_FLOW_CONTROL, // without RESUME there is no cursor that could open a window
		}})
		if welcome.GetWindowBytes() != 0 || len(welcome.GetCapabilities()) != 0 {
			t.Errorf("got %v", welcome)
		}
	})
}
