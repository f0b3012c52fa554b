// Package parse turns annotated protos into the model, or into findings: everything that is wrong, not the first of it.
// It writes nothing.
package parse
