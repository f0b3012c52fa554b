// Package lock is imsdk.lock: which number is which kind, and how it travels. The plugin compares protos with it,
// `protoc-gen-imsdk lock` writes it. It has one line a kind, by number, so that reviews and merges see what changes:
//
//	1000 poll.v1.Poll proto both
//	1001 poll.v1.Vote json client removed
package lock
