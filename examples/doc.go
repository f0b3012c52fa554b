// Package examples holds programs that use the SDK, one folder each; `make check` builds and runs them. They are a module
// of their own: what they need is no dependency of the SDK, and nothing imports them.
//
//   - quickstart: the main job in one process, `make demo`
//   - imserver: a ready-made server
//   - chat: two terminals talk
//   - customkind: a kind of message of one's own, in a repository (here: a module) of one's own
//   - docs: the code of README.md and of the pages in docs/
package examples
