package runtime

// Generated code and this package shake hands at compile time, both ways. Generated code has
//
//	const (
//		_ = runtime.EnforceVersion(G - runtime.MinVersion) // fails if the code is too old for this package
//		_ = runtime.EnforceVersion(runtime.MaxVersion - G) // fails if the code is too new for it
//	)
//
// with G the version of its generator. A negative constant is no EnforceVersion: the compiler stops there, beside a
// comment that tells the cure.
const (
	// MinVersion is the oldest generated code that works with this package.
	MinVersion = 1
	// MaxVersion is the newest generated code that works with this package.
	MaxVersion = 1
)

// EnforceVersion is a type that no negative constant fits.
type EnforceVersion uint
