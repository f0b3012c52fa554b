package render

// generatorVersion is the version of the code that is written here, and of what it wants from the runtime
// (runtime/version.go). It goes up when one no longer fits the other.
const generatorVersion = 1

// handshake writes the check that code and runtime fit each other.
func (f *file) handshake() {
	f.doc("If the compiler stops at the first line, this code is too old for the runtime: generate it again, with the" +
		" protoc-gen-imsdk of the runtime's release. If it stops at the second, the runtime is too old for this code:")
	f.P("//")
	f.P("//\tgo get ", runtimeModule, "@latest")
	f.P("const (")
	f.P("_ = ", runtimeEnforceVersion, "(", generatorVersion, " - ", runtimeMinVersion, ")")
	f.P("_ = ", runtimeEnforceVersion, "(", runtimeMaxVersion, " - ", generatorVersion, ")")
	f.P(")")
	f.P()
}
