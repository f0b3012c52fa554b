// Package model is what parsing finds and rendering writes: packages with their kinds, valid and complete. Nothing in
// it changes once parsing is done.
package model

import (
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	imsdkv1 "github.com/game-im/im-grpc-sdk/gen/imsdk/v1"
)

// GoPackage is a Go package.
type GoPackage struct {
	// Path is what to import.
	Path protogen.GoImportPath
	// Name is what its files declare.
	Name protogen.GoPackageName
}

// GoName is an exported name of a Go package.
type GoName struct {
	// Package is where.
	Package GoPackage
	// Name is the name.
	Name string
}

// Package is a proto package that has kinds, and the Go packages that come from it.
type Package struct {
	// Proto is the proto package's name.
	Proto protoreflect.FullName
	// Sources are the files with its kinds, sorted.
	Sources []string
	// Messages is where protoc-gen-go puts the contents.
	Messages GoPackage
	// Client and Server are what is generated here.
	Client, Server GoPackage
	// Dir is the directory, relative to the output's root, in which those two get a directory each.
	Dir string
	// Kinds are its kinds, by number.
	Kinds []*Kind
	// Fields are the fields of all contents and of what they hold, by message. Empty unless Validate is set.
	Fields []*MessageFields
	// Validate tells that contents have a ValidateAll.
	Validate bool
}

// Kind is one kind of message.
type Kind struct {
	// Names are its names in Go.
	Names Names
	// Number goes into the envelope's type.
	Number int32
	// Value is the enum value with that number, and ValueName its name in the proto.
	Value     GoName
	ValueName protoreflect.FullName
	// Content is the message, and Message its name in the proto.
	Content GoName
	Message protoreflect.FullName
	// Direction and Encoding are never unspecified.
	Direction imsdkv1.Direction
	Encoding  imsdkv1.Encoding
	// MaxBytes bounds the encoded content; 0: it does not.
	MaxBytes uint32
	// Comment is the message's comment, line by line, without markers. May be empty.
	Comment []string
	// Deprecated is the paragraph that starts with "Deprecated:", line by line. Empty: the kind is in use.
	Deprecated []string
	// Documented are the content and the messages in it, the content first; Example is one in JSON. Empty unless the kinds
	// are to be documented.
	Documented []Documented
	Example    string
}

// Documented is a message as the catalogue of kinds has it.
type Documented struct {
	// Message is its name in the proto.
	Message protoreflect.FullName
	// Fields are its fields as they are declared.
	Fields []DocumentedField
}

// DocumentedField is one of its fields.
type DocumentedField struct {
	// Name is its name in the proto, JSON its key in JSON.
	Name, JSON string
	// Type is what it holds, in words.
	Type string
	// Rules are its rules for validation in words, empty if there are none.
	Rules string
	// Comment is its comment, line by line.
	Comment []string
}

// FromClient tells that clients send the kind.
func (k *Kind) FromClient() bool { return k.Direction != imsdkv1.Direction_DIRECTION_SERVER }

// FromServer tells that clients receive the kind.
func (k *Kind) FromServer() bool { return k.Direction != imsdkv1.Direction_DIRECTION_CLIENT }

// MessageFields are the fields of one message.
type MessageFields struct {
	// Message is the message.
	Message protoreflect.FullName
	// Fields are its fields and oneofs, as they are declared.
	Fields []Field
}

// Field is one field or oneof.
type Field struct {
	// Go is its name in Go, Proto that in the proto.
	Go, Proto string
}
