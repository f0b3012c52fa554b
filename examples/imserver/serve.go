package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

// serve runs the server until ctx is done, and then stops it.
func serve(ctx context.Context, cfg *config, stdout, stderr io.Writer) error {
	logger := newLogger(cfg, stderr)
	options, closeStore, err := options(cfg, logger)
	if err != nil {
		return err
	}
	defer closeStore()
	im, err := server.New(options...)
	if err != nil {
		return err
	}
	defer im.Close()
	if _, err := imv1server.Register(im, imv1server.Hooks{}); err != nil { // no hooks: contents are validated
		return err
	}
	security, err := transport(cfg)
	if err != nil {
		return err
	}
	grpcServer := grpc.NewServer(append(server.GRPCOptions(), security...)...)
	imv1.RegisterIMServiceServer(grpcServer, im)
	healthServer := health.NewServer()
	healthServer.SetServingStatus(imv1.IMService_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(grpcServer, healthServer)
	reflection.Register(grpcServer)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %q: %w", cfg.addr, err)
	}
	fmt.Fprintf(stdout, "imserver listens on %s\n", listener.Addr())

	served := make(chan error, 1)
	go func() { served <- grpcServer.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving failed: %w", err)
	case <-ctx.Done():
	}
	logger.Info("stopping", slog.Duration("timeout", cfg.stopTimeout))
	healthServer.Shutdown()
	if err := stop(im, grpcServer, cfg.stopTimeout); err != nil {
		return err
	}
	logger.Info("stopped", slog.Any("stats", im.Stats()))
	return nil
}

// stop ends the streams and lets unary calls finish, within a time.
func stop(im *server.Server, grpcServer *grpc.Server, timeout time.Duration) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		im.Close()
		grpcServer.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-time.After(timeout):
		grpcServer.Stop()
		return errors.New("calls were still running after -stop-timeout: they were cut off")
	}
}

func newLogger(cfg *config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.logLevel}
	if cfg.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// options are the IM server's; the function gives the audio store back.
func options(cfg *config, logger *slog.Logger) ([]server.Option, func(), error) {
	all := []server.Option{
		server.WithLogger(logger),
		server.WithMaxMessageBytes(cfg.maxMessage),
		server.WithMaxAudioBytes(cfg.audioBytes),
		server.WithMaxRooms(cfg.maxRooms),
		server.WithRetention(cfg.keepMessages, cfg.dedupeWindow),
		server.WithQueue(cfg.queueMessages, cfg.queueBytes),
		server.WithHeartbeat(cfg.heartbeat, cfg.heartbeatWait),
		server.WithSilenceTimeout(cfg.silence),
		server.WithRoomPolicy(func(context.Context, string) (*imv1.RoomInfo, error) {
			return &imv1.RoomInfo{Config: &imv1.RoomConfig{
				MaxUsers: int32(cfg.maxUsers), Persistent: cfg.persistent, AllowAudio: true, AllowRichText: true,
			}}, nil
		}),
	}
	if cfg.echoToday {
		all = append(all, server.WithEchoToday())
	}
	if cfg.userFromCert {
		all = append(all, server.WithAuthenticator(userOfCertificate))
	}
	if cfg.audioDir == "" {
		return append(all, server.WithAudioStore(server.NewMemoryAudioStore(cfg.audioAllBytes))), func() {}, nil
	}
	store, err := server.OpenFolderAudioStore(cfg.audioDir, cfg.audioAllBytes)
	if err != nil {
		return nil, nil, err
	}
	return append(all, server.WithAudioStore(store)), func() { _ = store.Close() }, nil
}
