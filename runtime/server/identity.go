package server

import (
	"context"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// The metadata keys that deployed clients send.
const (
	userKey     = "user-id"
	roomKey     = "room-id"
	nicknameKey = "nickname"
	roleKey     = "role"
)

const maxIDBytes = 128

// callerOf tells the user of a call: the authenticator's, else the metadata's, else none. claimed is what the request says;
// empty says nothing.
func (s *Server) callerOf(ctx context.Context, claimed string) (string, error) {
	user := firstValue(ctx, userKey)
	if s.config.authenticate != nil {
		proven, err := s.authenticate(ctx)
		if err != nil {
			return "", err
		}
		if user != "" && user != proven {
			return "", otherUser("the metadata user-id", user, proven)
		}
		user = proven
	}
	if user == "" {
		user = claimed
	}
	if claimed != "" && claimed != user {
		return "", otherUser("user_id", claimed, user)
	}
	return user, checkID("the user-id", user)
}

func (s *Server) authenticate(ctx context.Context) (user string, err error) {
	if panicked := s.guard("authenticator", func() { user, err = s.config.authenticate(ctx) }); panicked != nil {
		return "", panicked
	}
	if err != nil {
		return "", asStatus(err, codes.Unauthenticated)
	}
	if user == "" {
		return "", status.Error(codes.Unauthenticated, "the call does not say which user it is from")
	}
	return user, nil
}

// mustHaveUser is callerOf for calls that nobody may make without a user.
func (s *Server) mustHaveUser(ctx context.Context, claimed string) (string, error) {
	user, err := s.callerOf(ctx, claimed)
	if err == nil && user == "" {
		return "", status.Error(codes.InvalidArgument,
			"the call does not say which user it is from: set user_id or the metadata user-id")
	}
	return user, err
}

func otherUser(where, claimed, user string) error {
	return status.Errorf(codes.PermissionDenied, "%s is %q, but this is user %q", where, claimed, user)
}

// checkID is for an id that no validator has seen: gRPC lets any bytes through in metadata, and one string that is not
// UTF-8 makes a message that cannot be sent to anybody. Empty is for the caller to judge.
func checkID(what, id string) error {
	if len(id) > maxIDBytes {
		return status.Errorf(codes.InvalidArgument, "%s has %d bytes, %d are allowed", what, len(id), maxIDBytes)
	}
	if !utf8.ValidString(id) {
		return status.Errorf(codes.InvalidArgument,
			"%s is not UTF-8: name user and room in the first message instead of metadata", what)
	}
	return nil
}

func firstValue(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return strings.TrimSpace(values[0])
	}
	return ""
}
