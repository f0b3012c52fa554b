// Package tests tries out the whole generator: protos in, files or findings out. It is a module of its own, since it has a
// compiler of protos as a dependency.
//
//   - testdata/output: protos and the output that is wanted, compared and type-checked;
//   - testdata/diagnostics: wrong protos and the findings that are wanted;
//   - testdata/hazards: names and layouts that have a way of going wrong, each with output that compiles or with findings;
//   - testdata/old: what earlier versions generated, which has to go on compiling.
//
// The protos are compiled within the test's process, and the output is type-checked there with go/types. That real buf
// and real protoc hand the plugin the same has tests of its own. The flag -update writes the goldens anew.
package tests
