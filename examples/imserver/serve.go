package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1server"
	"github.com/game-im/im-grpc-sdk/runtime/roomlog"
	"github.com/game-im/im-grpc-sdk/runtime/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

// serve runs the server until ctx is done, and then stops it.
func serve(ctx context.Context, cfg *config, stdout, stderr io.Writer) error {
	logger := newLogger(cfg, stderr)
	healthServer := health.NewServer()
	options, closeStore, err := options(cfg, logger, healthServer)
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
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.stopTimeout)
	defer cancel()
	if err := im.Drain(stopping, grpcServer); err != nil {
		return fmt.Errorf("calls were still running after -stop-timeout: they were cut off: %w", err)
	}
	logger.Info("stopped", slog.Any("stats", im.Stats()))
	return nil
}

func newLogger(cfg *config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.logLevel}
	if cfg.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// options are the IM server's; the function gives the audio store back.
func options(cfg *config, logger *slog.Logger, healthServer *health.Server) ([]server.Option, func(), error) {
	all := []server.Option{
		server.WithLogger(logger),
		server.WithMaxMessageBytes(cfg.maxMessage),
		server.WithMaxAudioBytes(cfg.audioBytes),
		server.WithMaxRooms(cfg.maxRooms),
		server.WithLog(roomlog.NewMemory(roomlog.Retention{
			Messages: cfg.keepMessages, Bytes: cfg.keepBytes, TotalBytes: cfg.keepAllBytes, Age: cfg.keepAge,
			DedupeWindow: cfg.dedupeWindow,
		})),
		server.WithWindow(cfg.windowBytes),
		server.WithQueue(cfg.queueAnswers, cfg.queueBytes),
		server.WithDrainSpread(cfg.drainSpread),
		server.WithOnDrain(func(context.Context) error {
			healthServer.Shutdown()
			return nil
		}),
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
