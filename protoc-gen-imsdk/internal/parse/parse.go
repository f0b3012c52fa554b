package parse

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/lock"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/model"
)

// Config is what the plugin's options say.
type Config struct {
	// Validate tells that contents have a ValidateAll by protoc-gen-validate.
	Validate bool
	// Document tells that the model has to have what the catalogue of kinds tells.
	Document bool
	// Lock is what to compare the kinds with; nil: nothing.
	Lock *lock.Lock
	// RenewLock tells that the lock will be written from this run, which has all protos. What the lock lacks is no finding then,
	// nor is what AllowBreaking says: the numbers in the lock whose kinds may change.
	RenewLock     bool
	AllowBreaking []int32
}

// Packages gives the packages with kinds among the files to generate, in the order of their names. What is wrong goes to
// findings; if there is any, the result is not to be used.
func Packages(plugin *protogen.Plugin, config Config, findings *diag.List) []*model.Package {
	p := &parser{
		config:    config,
		findings:  findings,
		enums:     newEnumIndex(plugin.Files),
		claimed:   make(map[claim]bool),
		annotated: make(map[protoreflect.FullName]bool),
		walked:    make(map[*protogen.Message]bool),
	}
	for _, file := range plugin.Files {
		p.read(file)
	}
	p.checkEnums()
	p.duplicates()
	p.valuesWithoutKind()
	p.compareWithLock()
	packages := p.packages()
	takenPackages(packages, plugin.Files, findings)
	return packages
}

// parser holds what one run has found so far.
type parser struct {
	config   Config
	findings *diag.List
	enums    *enumIndex
	kinds    []*kind
	claimed  map[claim]bool
	// annotated are the messages to generate that are meant to be kinds, be it wrongly.
	annotated map[protoreflect.FullName]bool
	walked    map[*protogen.Message]bool
}

// kind is a kind of the model with what only parsing needs.
type kind struct {
	*model.Kind
	file    *protogen.File
	message *protogen.Message
	// pos is where the type is written.
	pos diag.Position
}

// claim is an enum's number that some message has, or was meant to have, as its type.
type claim struct {
	enum   *enum
	number int32
}

// duplicates reports numbers that two kinds of the run have. Of the two, one of a file to generate is blamed.
func (p *parser) duplicates() {
	first := make(map[int32]*kind)
	for _, each := range p.kinds {
		other, taken := first[each.Number]
		if !taken {
			first[each.Number] = each
			continue
		}
		blamed := each
		if !blamed.file.Generate {
			blamed, other = other, each
		}
		if blamed.file.Generate {
			p.findings.Add(blamed.pos, diag.DuplicateKind,
				"message %s: number %d (%s) is the kind of %s already (%s); give it another value",
				blamed.Message, blamed.Number, blamed.ValueName, other.Message, other.pos)
		}
	}
}

// packages puts the kinds of the files to generate into their packages.
func (p *parser) packages() []*model.Package {
	groups := make(map[groupKey]*group)
	for _, each := range p.kinds {
		if !each.file.Generate {
			continue
		}
		key := groupKey{proto: each.file.Desc.Package(), path: each.file.GoImportPath}
		if groups[key] == nil {
			groups[key] = &group{groupKey: key}
		}
		groups[key].kinds = append(groups[key].kinds, each)
	}
	sorted := make([]*group, 0, len(groups))
	for _, each := range groups {
		slices.SortFunc(each.kinds, func(a, b *kind) int { return cmp.Compare(a.Number, b.Number) })
		sorted = append(sorted, each)
	}
	slices.SortFunc(sorted, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.proto, b.proto), cmp.Compare(a.path, b.path))
	})

	p.splitPackages(sorted)
	packages := make([]*model.Package, len(sorted))
	for i, each := range sorted {
		packages[i] = p.pkg(each)
	}
	return packages
}
