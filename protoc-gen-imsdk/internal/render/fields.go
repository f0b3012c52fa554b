package render

import (
	"strconv"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// fields writes the table that leads from what protoc-gen-validate reports to the names of the protos.
func fields(f *file, pkg *model.Package) {
	f.header(pkg, pkg.Client.Name)
	f.doc("fieldNames has the fields of all contents, and of the messages in them: the names in Go, which" +
		" protoc-gen-validate reports, and those of the protos, which people know.")
	f.P("var fieldNames = ", runtimeFieldNames, "{")
	for _, message := range pkg.Fields {
		f.P(strconv.Quote(string(message.Message)), ": {")
		for _, field := range message.Fields {
			f.P(strconv.Quote(field.Go), ": ", strconv.Quote(field.Proto), ",")
		}
		f.P("},")
	}
	f.P("}")
}
