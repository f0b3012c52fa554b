// Package wiretest holds the tests that keep im.v1 what deployed servers and clients already speak: names, numbers and
// types, what validation may refuse, and the copy of protoc-gen-validate's proto.
package wiretest
