// Package generator is the plugin without its command line: options and protos in, files or findings out.
package generator

import (
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/lock"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/options"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/parse"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/render"
)

// Options tells protogen how to read the request. The plugin's own options go to opts.
func Options(opts *options.Options) protogen.Options {
	return protogen.Options{ParamFunc: opts.Set}
}

// Generate adds the output to the plugin: all of it, or none and an error that has every finding.
func Generate(plugin *protogen.Plugin, opts *options.Options) error {
	plugin.SupportedFeatures = uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL |
		pluginpb.CodeGeneratorResponse_FEATURE_SUPPORTS_EDITIONS)
	plugin.SupportedEditionsMinimum = descriptorpb.Edition_EDITION_PROTO2
	plugin.SupportedEditionsMaximum = descriptorpb.Edition_EDITION_2024

	var findings diag.List
	opts.Report(&findings)
	config := parse.Config{Validate: opts.Validate() == options.ValidatePGV, Document: opts.Document()}
	if path := opts.Lock(); path != "" {
		config.Lock = lock.Read(path, &findings)
	}
	packages := parse.Packages(plugin, config, &findings)
	if err := findings.Err(); err != nil {
		return err
	}
	for _, pkg := range packages {
		if err := render.Package(plugin, pkg); err != nil {
			return err
		}
		if opts.Document() {
			render.Catalogue(plugin, pkg)
		}
	}
	return nil
}
