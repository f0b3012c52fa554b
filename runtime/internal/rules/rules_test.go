package rules_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/runtime"
	"github.com/game-im/im-grpc-sdk/runtime/internal/rules"
)

func TestAllViolationsAreToldInProtoNames(t *testing.T) {
	t.Parallel()
	joins := rules.Of((*imv1.JoinRoomRequest).ValidateAll)
	if err := joins.Check(&imv1.JoinRoomRequest{UserId: "anna", RoomId: "r"}); err != nil {
		t.Errorf("a good one: %v", err)
	}
	err := joins.Check(&imv1.JoinRoomRequest{UserId: strings.Repeat("x", 129)})
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "invalid JoinRoomRequest") {
		t.Errorf("got %v", err)
	}
	var paths []string
	for _, violation := range runtime.Violations(err) {
		paths = append(paths, violation.Path)
	}
	if !slices.Equal(slices.Sorted(slices.Values(paths)), []string{"room_id", "user_id"}) {
		t.Errorf("paths: %v", paths)
	}
}
