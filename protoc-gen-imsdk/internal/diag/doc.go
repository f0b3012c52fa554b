// Package diag holds what the plugin has to say about wrong annotations: where, which rule, what is wrong and what to
// write instead. All findings of a run are collected and reported together.
package diag
