package parse

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/descriptorpb"
)

// deprecatedMark starts the paragraph that Go's tools look for.
const deprecatedMark = "Deprecated:"

// comments gives a message's comment without its paragraph about deprecation, and that paragraph. A message or an enum
// value with the option deprecated has one in any case.
func comments(file *protogen.File, message *protogen.Message, value *value) (comment, deprecated []string) {
	comment, deprecated = splitDeprecated(lines(message.Comments.Leading))
	if len(deprecated) > 0 {
		return comment, deprecated
	}
	if options, ok := message.Desc.Options().(*descriptorpb.MessageOptions); ok && options.GetDeprecated() {
		return comment, []string{fmt.Sprintf("%s %s is marked as deprecated in %s.",
			deprecatedMark, message.GoIdent.GoName, file.Desc.Path())}
	}
	if options, ok := value.Desc.Options().(*descriptorpb.EnumValueOptions); ok && options.GetDeprecated() {
		if _, reason := splitDeprecated(lines(value.Comments.Leading)); len(reason) > 0 {
			return comment, reason
		}
		return comment, []string{fmt.Sprintf("%s %s is marked as deprecated in %s.",
			deprecatedMark, value.Desc.Name(), value.enum.file.Desc.Path())}
	}
	return comment, nil
}

// lines gives a comment line by line, without what is for linters of protos only.
func lines(comments protogen.Comments) []string {
	notInGo := strings.NewReplacer("\x00", "", "\ufeff", "") // not even in a comment
	var result []string
	for line := range strings.Lines(notInGo.Replace(strings.ToValidUTF8(string(comments), ""))) {
		line = strings.TrimPrefix(strings.TrimRight(line, " \t\r\n"), " ")
		if !strings.HasPrefix(strings.TrimSpace(line), "buf:lint:ignore") {
			result = append(result, line)
		}
	}
	return trimEmpty(result)
}

// splitDeprecated takes the paragraph about deprecation out of a comment.
func splitDeprecated(comment []string) (rest, deprecated []string) {
	start := slices.IndexFunc(comment, func(line string) bool { return strings.HasPrefix(line, deprecatedMark) })
	if start < 0 {
		return comment, nil
	}
	end := len(comment)
	if length := slices.Index(comment[start:], ""); length >= 0 {
		end = start + length
	}
	rest = slices.Concat(trimEmpty(comment[:start]), comment[end:])
	return trimEmpty(rest), comment[start:end]
}

// trimEmpty cuts empty lines at both ends.
func trimEmpty(comment []string) []string {
	for len(comment) > 0 && comment[0] == "" {
		comment = comment[1:]
	}
	for len(comment) > 0 && comment[len(comment)-1] == "" {
		comment = comment[:len(comment)-1]
	}
	return comment
}
