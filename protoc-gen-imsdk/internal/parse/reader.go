package parse

import (
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
)

// reader reads the kinds of one file.
type reader struct {
	run  *parser
	file *protogen.File
	// findings are dropped for a file that is only imported.
	findings *diag.List
}

// read adds the kinds of a file. Those of imported files are read too, because their numbers are taken; what is wrong
// with them is told where they are generated.
func (p *parser) read(file *protogen.File) {
	r := &reader{run: p, file: file, findings: p.findings}
	if !file.Generate {
		r.findings = new(diag.List)
	}
	for _, message := range file.Messages {
		r.message(message, nil)
	}
}

func (r *reader) message(message, parent *protogen.Message) {
	r.kind(message, parent)
	for _, nested := range message.Messages {
		r.message(nested, message)
	}
}
