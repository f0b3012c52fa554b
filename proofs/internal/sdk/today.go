//go:build !contract

package sdk

import (
	"github.com/game-im/im-grpc-sdk/proofs/internal/ledger"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

// This file stands for contract.go until sessions have what that one needs. Then it goes, and the tag of the other one too.

// Receiving is what a session is given for what it receives.
type Receiving struct {
	OnGap  func(room string, after, next ledger.Place) // nil: nothing
	Window int                                         // bytes; 0: the default
	Store  *CursorStore                                // nil: none
}

// Options are the session's options.
func (r Receiving) Options() []session.Option { return nil }

// CursorStore keeps cursors in memory, over the lives of several sessions.
type CursorStore struct{}

// NewCursorStore makes an empty one.
func NewCursorStore() *CursorStore { return &CursorStore{} }
