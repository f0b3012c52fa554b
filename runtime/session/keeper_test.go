package session_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// keeper is a server that keeps logs, all in epoch 7. Unless the test says otherwise their head is 10 when the first stream
// starts, and far ahead from then on. What it sends the test pushes.
type keeper struct {
	script

	heads    func(p *peer, room string) (epoch, head uint64)
	welcomed func(p *peer, w *imsdkv1.Welcome) // changes what is said
	greeted  func(p *peer)                     // runs right after the header
	on       func(p *peer, m *imv1.MessageRequest) (bool, error)
}

func newKeeper() *keeper {
	k := &keeper{heads: func(p *peer, _ string) (uint64, uint64) {
		if p.number > 1 {
			return 7, 1000
		}
		return 7, 10
	}}
	k.stream = func(p *peer) error {
		ended := make(chan error, 1)
		go func() { ended <- k.serve(p) }()
		select {
		case err := <-ended:
			return err
		case err := <-p.stop:
			return err
		}
	}
	return k
}

func (k *keeper) serve(p *peer) error {
	w := welcome()
	w.Capabilities = append(w.Capabilities, imsdkv1.Capability_CAPABILITY_RESUME,
		imsdkv1.Capability_CAPABILITY_FLOW_CONTROL, imsdkv1.Capability_CAPABILITY_GO_AWAY)
	w.WindowBytes = p.hello.GetWindowBytes()
	for _, room := range p.hello.GetRooms() {
		id := room.GetCursor().GetRoomId()
		epoch, head := k.heads(p, id)
		w.Rooms = append(w.Rooms, &imsdkv1.RoomState{RoomId: id, Epoch: epoch, Head: head})
	}
	if k.welcomed != nil {
		k.welcomed(p, w)
	}
	if err := p.greet(w); err != nil {
		return err
	}
	if k.greeted != nil {
		k.greeted(p)
	}
	return p.serve(nil, func(m *imv1.MessageRequest) (bool, error) {
		if k.on != nil {
			if done, err := k.on(p, m); done || err != nil {
				return done, err
			}
		}
		switch m.GetType() {
		case joinType:
			epoch, head := k.heads(p, m.GetRoomId())
			return true, p.push(&imv1.MessageResponse{
				MessageId: m.GetMessageId(), RoomId: m.GetRoomId(), Type: imv1.MessageType_MESSAGE_TYPE_JOINED,
				Epoch: epoch, Seq: head, Content: encode(new(imv1.JoinRoomResponse)),
			})
		case heartbeatType, leaveType, ackType:
			return false, nil
		case imv1.MessageType_MESSAGE_TYPE_CURSOR:
			return true, nil
		default:
			return true, p.answer(m, true)
		}
	})
}

// without takes capabilities out of a Welcome.
func without(gone ...imsdkv1.Capability) func(*peer, *imsdkv1.Welcome) {
	return func(_ *peer, w *imsdkv1.Welcome) {
		w.Capabilities = slices.DeleteFunc(w.GetCapabilities(), func(c imsdkv1.Capability) bool { return slices.Contains(gone, c) })
	}
}

// logged is a message of a log of epoch 7, with the id "m" and its number.
func logged(room string, prev, seq uint64) *imv1.MessageResponse {
	m := textMessage(fmt.Sprint("m", seq), room, strconv.FormatUint(seq, 10))
	m.Epoch, m.PrevSeq, m.Seq = 7, prev, seq
	return m
}

// row are messages of a log without holes.
func row(room string, from, to uint64) []*imv1.MessageResponse {
	var all []*imv1.MessageResponse
	for seq := from; seq <= to; seq++ {
		all = append(all, logged(room, seq-1, seq))
	}
	return all
}

// inLog puts a message into another log.
func inLog(epoch uint64, m *imv1.MessageResponse) *imv1.MessageResponse {
	m.Epoch = epoch
	return m
}

func (p *peer) pushAll(t *testing.T, messages ...*imv1.MessageResponse) {
	t.Helper()
	for _, m := range messages {
		if err := p.push(m); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

func gapFrame(g *imsdkv1.Gap) *imv1.MessageResponse {
	return &imv1.MessageResponse{RoomId: g.GetRoomId(), Type: imv1.MessageType_MESSAGE_TYPE_GAP, Content: encode(g)}
}

// position reads "room epoch/seq".
func position(c *imsdkv1.Cursor) string {
	return fmt.Sprintf("%s %d/%d", c.GetRoomId(), c.GetEpoch(), c.GetSeq())
}

// resumed are the rooms of a stream's Hello.
func resumed(p *peer) []string {
	var rooms []string
	for _, room := range p.hello.GetRooms() {
		rooms = append(rooms, position(room.GetCursor()))
	}
	return rooms
}

// told are the CURSOR frames that a stream has got, each as one line.
func told(t *testing.T, p *peer) []string {
	t.Helper()
	synctest.Wait()
	var frames []string
	for _, m := range p.all(imv1.MessageType_MESSAGE_TYPE_CURSOR) {
		frame := new(imsdkv1.Cursors)
		if err := proto.Unmarshal(m.GetContent(), frame); err != nil {
			t.Fatal(err)
		}
		var cursors []string
		for _, cursor := range frame.GetCursors() {
			cursors = append(cursors, position(cursor))
		}
		slices.Sort(cursors)
		frames = append(frames, strings.Join(cursors, ", "))
	}
	return frames
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\nwant:\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// texts writes down the texts that come, with the room if it is not "r".
func texts(d *diary, then func(m *imv1sdk.TextMessage) error) imv1sdk.Handlers {
	return imv1sdk.Handlers{OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
		if m.RoomID == "r" {
			d.add("%s", m.Content.GetText())
		} else {
			d.add("%s %s", m.RoomID, m.Content.GetText())
		}
		if then != nil {
			return then(m)
		}
		return nil
	}}
}

func gaps(d *diary) session.Option {
	return session.WithOnGap(func(_ context.Context, g session.Gap) {
		d.add("gap %s %d/%d-%d/%d %s", g.RoomID, g.Epoch, g.AfterSeq, g.NextEpoch, g.NextSeq, g.Reason)
	})
}

// again ends the stream of a number and gives the next one.
func (k *keeper) again(t *testing.T, number int) *peer {
	t.Helper()
	k.peer(t, number).stop <- status.Error(codes.Unavailable, "again")
	return k.following(t, number)
}

// following waits for the stream after the one of a number.
func (k *keeper) following(t *testing.T, number int) *peer {
	t.Helper()
	for range 60 {
		synctest.Wait()
		if k.streams() > number {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return k.peer(t, number+1)
}
