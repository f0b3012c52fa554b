package server

import (
	"context"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
)

// HealthCheck answers for the whole server (an empty service) and for im.v1.IMService. It asks for no user.
func (s *Server) HealthCheck(_ context.Context, request *imv1.HealthCheckRequest) (*imv1.HealthCheckResponse, error) {
	s.serve()
	if err := s.rules.health.Check(request); err != nil {
		return nil, err
	}
	switch {
	case request.GetService() != "" && request.GetService() != imv1.IMService_ServiceDesc.ServiceName:
		return &imv1.HealthCheckResponse{
			Status:  imv1.HealthStatus_HEALTH_STATUS_SERVICE_UNKNOWN,
			Message: "this server has " + imv1.IMService_ServiceDesc.ServiceName,
		}, nil
	case s.streams.isClosed():
		return &imv1.HealthCheckResponse{
			Status: imv1.HealthStatus_HEALTH_STATUS_NOT_SERVING, Message: "the server is stopping",
		}, nil
	default:
		return &imv1.HealthCheckResponse{Status: imv1.HealthStatus_HEALTH_STATUS_SERVING, Message: "OK"}, nil
	}
}
