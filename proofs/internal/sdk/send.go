package sdk

import (
	"context"
	"errors"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// SendText sends a text; the result comes later.
func SendText(ctx context.Context, s *session.Session, room, text string) *runtime.Pending {
	return s.SendAsync(ctx, &runtime.Outgoing{
		RoomID: room, Kind: &imv1sdk.KindText.Kind, Type: imv1sdk.KindText.Number, Content: &imv1.TextContent{Text: text},
	})
}

// Result is what a send's result means for its message.
func Result(m ledger.Message, receipt *runtime.Receipt, err error) ledger.Event {
	switch {
	case err == nil:
		return ledger.Event{
			Kind: ledger.Receipt, Message: m, Place: ledger.Place{Epoch: receipt.Epoch, Seq: receipt.Seq},
		}
	case errors.Is(err, session.ErrMaybeDelivered):
		return ledger.Event{Kind: ledger.Maybe, Message: m, Text: err.Error()}
	default:
		return ledger.Event{Kind: ledger.Never, Message: m, Text: err.Error()}
	}
}
