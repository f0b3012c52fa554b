package runtime

// RegisterOption changes what a generated package tells a session or a server of itself.
type RegisterOption interface {
	applyRegistration(registration *Registration)
}

type registerOption func(registration *Registration)

func (o registerOption) applyRegistration(registration *Registration) { o(registration) }

// SkipReceiveValidation switches off the rules on what is received for the package's kinds. What does not parse is
// invalid all the same, and what is sent is checked. Default: what is received is checked.
func SkipReceiveValidation() RegisterOption {
	return registerOption(func(registration *Registration) { registration.SkipValidation = true })
}

// With is the registration as the options change it. Generated code calls it.
func (r Registration) With(opts []RegisterOption) Registration {
	for _, opt := range opts {
		opt.applyRegistration(&r)
	}
	return r
}
