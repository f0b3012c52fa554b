// Package render writes a valid model as Go: one function for each file, no decision that the model has taken already.
// Logic belongs in package runtime; what is written here is types, names and calls.
package render
