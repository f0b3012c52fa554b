package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// binary is the program, built by TestMain.
var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	folder, err := os.MkdirTemp("", "imserver")
	if err != nil {
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary = filepath.Join(folder, "imserver")
	command := exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".")
	command.Stderr = os.Stderr
	if command.Run() != nil {
		return 1
	}
	return m.Run()
}

// process is a running imserver.
type process struct {
	t       *testing.T
	command *exec.Cmd
	address string
	stderr  *bytes.Buffer
}

// start runs the program on a free port and waits until it listens.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = append(os.Environ(), "IMSERVER_ADDR=127.0.0.1:0", "IMSERVER_LOG_FORMAT=json")
	p := &process{t: t, command: command, stderr: &bytes.Buffer{}}
	command.Stderr = p.stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "imserver listens on ")
	if err != nil || !found {
		t.Fatalf("it said %q (%v) and %s", line, err, p.stderr)
	}
	p.address = address
	return p
}

// connect opens a connection to it.
func (p *process) connect() *grpc.ClientConn {
	p.t.Helper()
	conn, err := grpc.NewClient(p.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// end sends SIGTERM and gives the exit code.
func (p *process) end() int {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	return exitCode(p.t, p.command.Wait())
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// run runs the program to its end.
func run(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	return exitCode(t, command.Run()), out.String(), errs.String()
}

func TestAStrangerFindsTheServiceByReflectionAndCallsIt(t *testing.T) {
	t.Parallel()
	p := start(t)
	conn := p.connect()
	reflection, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	services := ask(t, reflection, &reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}).GetListServicesResponse().GetService()
	for _, name := range []string{"im.v1.IMService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} {
		if !slices.ContainsFunc(services, func(s *reflectionpb.ServiceResponse) bool { return s.GetName() == name }) {
			t.Errorf("%s is not among %v", name, services)
		}
	}
	method := findMethod(t, reflection, "im.v1.IMService", "GetRoomInfo")
	if err := reflection.CloseSend(); err != nil {
		t.Fatal(err)
	}

	stream, err := imv1.NewIMServiceClient(conn).StreamMessages(
		metadata.AppendToOutgoingContext(t.Context(), "user-id", "anna", "room-id", "lobby"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil { // she is in the room
		t.Fatal(err)
	}
	request := dynamicpb.NewMessage(method.Input())
	set(request, "room_id", "lobby")
	response := dynamicpb.NewMessage(method.Output())
	if err := conn.Invoke(t.Context(), "/im.v1.IMService/GetRoomInfo", request, response); err != nil {
		t.Fatal(err)
	}
	info := get(response, "room_info").Message()
	users := get(response, "users").List()
	if get(info, "room_id").String() != "lobby" || get(info, "user_count").Int() != 1 ||
		users.Len() != 1 || get(users.Get(0).Message(), "user_id").String() != "anna" {
		t.Errorf("got %v", response)
	}
	set(request, "room_id", "nowhere")
	if err := conn.Invoke(t.Context(), "/im.v1.IMService/GetRoomInfo", request, response); status.Code(err) != codes.NotFound {
		t.Errorf("got %v", err)
	}

	health, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: "im.v1.IMService"})
	if err != nil || health.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", health, err)
	}
	begin := time.Now()
	if code := p.end(); code != 0 {
		t.Errorf("SIGTERM: exit code %d, log: %s", code, p.stderr)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the stop took %v", took)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "stopping") {
		t.Errorf("the stream ended with %v", err)
	}
	if !strings.Contains(p.stderr.String(), `"msg":"stopped"`) {
		t.Errorf("log: %s", p.stderr)
	}
}

func TestAnInvalidContentIsRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	client := imv1.NewIMServiceClient(p.connect())
	stream, err := client.StreamMessages(metadata.AppendToOutgoingContext(t.Context(), "user-id", "anna", "room-id", "r"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil {
		t.Fatal(err)
	}
	_, err = client.SendMessage(t.Context(), &imv1.SendMessageRequest{
		UserId: "bot", RoomId: "r", Type: imv1.MessageType_MESSAGE_TYPE_TEXT,
	})
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "text: ") {
		t.Errorf("got %v", err)
	}
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestHelpReadsWell(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := run(t, nil, "-h")
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	for _, words := range []string{
		"Usage: imserver [flags]", "-addr host:port", "Without -user-from-cert clients are believed who they are: ", "(default :8083)", "IMSERVER_ADDR", "-tls-cert file", "-log-level",
	} {
		if !strings.Contains(stdout, words) {
			t.Errorf("-h does not say %q:\n%s", words, stdout)
		}
	}
}

func TestWhatIsWrongIsSaidWithAnExitCode(t *testing.T) {
	t.Parallel()
	port := strings.TrimPrefix(start(t).address, "127.0.0.1:")
	notPEM := filepath.Join(t.TempDir(), "not.pem")
	if err := os.WriteFile(notPEM, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	cert, key := a.issue("server", a.template("server"))
	for name, test := range map[string]struct {
		env  []string
		args []string
		code int
		says []string
	}{
		"an unknown flag":       {nil, []string{"-listen", ":1"}, 2, []string{"-listen", "imserver -h"}},
		"an argument":           {nil, []string{"now"}, 2, []string{`unexpected argument "now"`}},
		"a flag's value":        {nil, []string{"-silence", "soon"}, 2, []string{"-silence", `"soon"`}},
		"a variable's value":    {[]string{"IMSERVER_MAX_ROOMS=many"}, nil, 2, []string{"IMSERVER_MAX_ROOMS", `"many"`}},
		"a log format":          {nil, []string{"-log-format", "xml"}, 2, []string{"-log-format", `"xml"`, "text or json"}},
		"half a certificate":    {nil, []string{"-tls-cert", "x"}, 2, []string{"-tls-key", "both or none"}},
		"a CA without TLS":      {nil, []string{"-client-ca", "x"}, 2, []string{"-client-ca needs TLS"}},
		"users without a CA":    {nil, []string{"-user-from-cert"}, 2, []string{"needs -client-ca"}},
		"several at once":       {nil, []string{"-max-users", "-1", "-stop-timeout", "0s"}, 2, []string{"-max-users", "-stop-timeout"}},
		"a certificate":         {nil, []string{"-tls-cert", notPEM, "-tls-key", notPEM}, 1, []string{"-tls-cert and -tls-key"}},
		"a CA file":             {nil, []string{"-tls-cert", cert, "-tls-key", key, "-client-ca", notPEM}, 1, []string{"-client-ca: ", "no PEM"}},
		"a port that is taken":  {nil, []string{"-addr", "127.0.0.1:" + port}, 1, []string{"cannot listen on", port}},
		"a folder that is none": {nil, []string{"-audio-dir", notPEM}, 1, []string{"the audio folder", notPEM}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := run(t, test.env, test.args...)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, words := range test.says {
				if !strings.Contains(stderr, words) {
					t.Errorf("%q does not say %q", stderr, words)
				}
			}
		})
	}
}

type reflectionStream = grpc.BidiStreamingClient[reflectionpb.ServerReflectionRequest, reflectionpb.ServerReflectionResponse]

func ask(t *testing.T, stream reflectionStream, request *reflectionpb.ServerReflectionRequest) *reflectionpb.ServerReflectionResponse {
	t.Helper()
	if err := stream.Send(request); err != nil {
		t.Fatal(err)
	}
	response, err := stream.Recv()
	if err != nil || response.GetErrorResponse() != nil {
		t.Fatalf("got %v, %v", response, err)
	}
	return response
}

// findMethod builds a method's descriptor from what the server tells alone.
func findMethod(t *testing.T, stream reflectionStream, service, method string) protoreflect.MethodDescriptor {
	t.Helper()
	set := &descriptorpb.FileDescriptorSet{}
	seen := make(map[string]bool)
	take := func(request *reflectionpb.ServerReflectionRequest) (missing []string) {
		for _, raw := range ask(t, stream, request).GetFileDescriptorResponse().GetFileDescriptorProto() {
			file := &descriptorpb.FileDescriptorProto{}
			if err := proto.Unmarshal(raw, file); err != nil {
				t.Fatal(err)
			}
			if !seen[file.GetName()] {
				seen[file.GetName()] = true
				set.File = append(set.File, file)
				missing = append(missing, file.GetDependency()...)
			}
		}
		return missing
	}
	wanted := take(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service},
	})
	for len(wanted) > 0 {
		name := wanted[0]
		wanted = wanted[1:]
		if !seen[name] {
			wanted = append(wanted, take(&reflectionpb.ServerReflectionRequest{
				MessageRequest: &reflectionpb.ServerReflectionRequest_FileByFilename{FileByFilename: name},
			})...)
		}
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		t.Fatal(err)
	}
	return found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(method)) //nolint:forcetypeassert // a test
}

func set(message *dynamicpb.Message, field, value string) {
	message.Set(message.Descriptor().Fields().ByName(protoreflect.Name(field)), protoreflect.ValueOfString(value))
}

func get(message protoreflect.Message, field string) protoreflect.Value {
	return message.Get(message.Descriptor().Fields().ByName(protoreflect.Name(field)))
}

func TestAStopThatTakesTooLongIsCutOff(t *testing.T) {
	t.Parallel()
	p := start(t, "-stop-timeout", "100ms")
	upload, err := imv1.NewIMServiceClient(p.connect()).UploadAudio(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	head := &imv1.UploadAudioRequest_Metadata{Metadata: &imv1.AudioMetadata{UserId: "anna"}}
	if err := upload.Send(&imv1.UploadAudioRequest{Data: head}); err != nil {
		t.Fatal(err)
	}
	chunk := &imv1.UploadAudioRequest{Data: &imv1.UploadAudioRequest_Chunk{Chunk: make([]byte, 128<<10)}}
	for range 2 { // the second one waits until more than a window of the first one has gone: the server has begun to read it
		if err := upload.Send(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if code := p.end(); code != 1 || !strings.Contains(p.stderr.String(), "cut off") {
		t.Errorf("exit code %d, log: %s", code, p.stderr)
	}
	if _, err := upload.CloseAndRecv(); err == nil {
		t.Error("the upload went well")
	}
}
