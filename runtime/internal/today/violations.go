package today

import (
	"fmt"
	"slices"
	"sync"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// The control types of this project: no peer of today knows one of them.
const (
	firstControl imv1.MessageType = 16
	lastControl  imv1.MessageType = 63
)

// welcomeKey is the header key of this project's handshake. Only who sent a Hello may get it.
const welcomeKey = "imsdk-welcome-bin"

// violations is what a peer did that no peer of today does. Its zero value is ready.
type violations struct {
	mu   sync.Mutex // guards list
	list []string
}

func (v *violations) addf(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list = append(v.list, fmt.Sprintf(format, args...))
}

// Violations gives what was received so far that has no place in the deployed protocol, oldest first. A test asserts
// that it is empty.
func (v *violations) Violations() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.list)
}

// checkType says whether a type of message has a place in the deployed protocol: its own, or an application's.
func (v *violations) checkType(who, id string, kind imv1.MessageType) {
	switch {
	case kind == imv1.MessageType_MESSAGE_TYPE_UNSPECIFIED:
		v.addf("%s: message %q has no type", who, id)
	case firstControl <= kind && kind <= lastControl:
		v.addf("%s: control frame %d (%s), id %q", who, kind, kind, id)
	case kind > imv1.MessageType_MESSAGE_TYPE_HEARTBEAT && kind < 1000:
		v.addf("%s: message %q has the unknown type %d", who, id, kind)
	}
}

// checkContent says whether a deployed peer can read the content of its own types.
func (v *violations) checkContent(who, id string, kind imv1.MessageType, content []byte) {
	if _, err := decode(kind, content); err != nil {
		v.addf("%s: %s %q has a content that encoding/json cannot read into a plain struct: %v: %q",
			who, kind, id, err, content)
	}
}
