// Package options reads the plugin's own options. A wrong one is reported together with everything else that is wrong.
package options

import (
	"fmt"
	"strings"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
)

// Validate says who checks contents.
type Validate string

const (
	// ValidatePGV is the ValidateAll that protoc-gen-validate generates, the default.
	ValidatePGV Validate = "pgv"
	// ValidateNone checks nothing.
	ValidateNone Validate = "none"
)

// Options are the plugin's own options. The zero value has every default.
type Options struct {
	validate Validate
	lock     string
	document bool
	wrong    []string
}

// Lock is the path of the kinds' lock. Empty: there is none.
func (o *Options) Lock() string { return o.lock }

// Document tells that a catalogue of the kinds is to be written.
func (o *Options) Document() bool { return o.document }

// Validate says who checks contents.
func (o *Options) Validate() Validate {
	if o.validate == "" {
		return ValidatePGV
	}
	return o.validate
}

// Set takes one option as the compiler hands it over. It always returns nil; Report has what is wrong.
func (o *Options) Set(name, value string) error {
	switch name {
	case "validate":
		o.setValidate(value)
	case "lock":
		o.setLock(value)
	case "doc":
		o.setDoc(value)
	default:
		o.setUnknown(name, value)
	}
	return nil
}

// Report adds what is wrong with the options.
func (o *Options) Report(to *diag.List) {
	for _, message := range o.wrong {
		to.Add(diag.Position{}, diag.BadOption, "%s", message)
	}
}

func (o *Options) setValidate(value string) {
	switch known := Validate(value); known {
	case ValidatePGV, ValidateNone:
		o.validate = known
	default:
		o.wrong = append(o.wrong, fmt.Sprintf(
			"option validate=%s: there is no such value; write validate=pgv or validate=none", value))
	}
}

func (o *Options) setLock(path string) {
	if path == "" {
		o.wrong = append(o.wrong,
			"option lock: it has no value; write lock=imsdk.lock, a path from the folder where buf or protoc runs")
	}
	o.lock = path
}

func (o *Options) setDoc(value string) {
	o.document = value == "markdown"
	if !o.document {
		o.wrong = append(o.wrong, fmt.Sprintf("option doc=%s: there is no such value; write doc=markdown, or leave it out", value))
	}
}

func (o *Options) setUnknown(name, value string) {
	written := name
	if value != "" {
		written += "=" + value
	}
	known := []string{"validate", "lock", "doc", "paths", "module"}
	if meant := diag.Suggest(name, known); meant != "" {
		o.wrong = append(o.wrong, fmt.Sprintf("option %s: there is no option %s; did you mean %s?", written, name, meant))
		return
	}
	o.wrong = append(o.wrong, fmt.Sprintf(
		"option %s: there is no option %s; remove it (the options are %s)", written, name, strings.Join(known, ", ")))
}
