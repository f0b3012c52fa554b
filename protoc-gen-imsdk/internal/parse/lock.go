package parse

import (
	"slices"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/diag"
	"github.com/game-im/im-grpc-sdk/protoc-gen-imsdk/internal/lock"
)

// compareWithLock reports kinds that the lock has otherwise or not at all, and kinds of the lock that should be in this
// run: those of its proto packages.
func (p *parser) compareWithLock() {
	if p.config.Lock == nil {
		return
	}
	packages := make(map[protoreflect.FullName]bool)
	numbers := make(map[int32]bool)
	for _, each := range p.kinds {
		if each.file.Generate {
			packages[each.Message.Parent()] = true
			numbers[each.Number] = true
			p.compareKind(each)
		}
	}
	for _, line := range p.config.Lock.Kinds() {
		missing := !line.Removed && packages[line.Message.Parent()] && !p.annotated[line.Message] && !numbers[line.Number]
		if missing && !p.config.RenewLock {
			p.findings.Add(line.Pos, diag.StaleLock,
				"message %s is not a kind of this run; generate all files of package %s at once (with `strategy: all` and no --path), or, if the kind is gone: `%s`",
				line.Message, line.Message.Parent(), lock.Command(p.config.Lock.Path()))
		}
	}
}

func (p *parser) compareKind(kind *kind) {
	locked, ok := p.config.Lock.Number(kind.Number)
	switch {
	case ok && !p.allowed(kind.Number):
		p.compareLine(kind, locked)
	case !ok || locked.Message != kind.Message:
		p.newNumber(kind)
	}
}

// compareLine reports a kind that differs from the line of its number.
func (p *parser) compareLine(kind *kind, locked lock.Kind) {
	switch now := lock.KindOf(kind.Kind); {
	case locked.Message != now.Message && locked.Removed:
		p.findings.Add(kind.pos, diag.LockMismatch,
			"message %s: number %d (%s) was that of %s, which is removed (%s), and programs in use still know it; give the kind a number that is new%s",
			kind.Message, kind.Number, kind.ValueName, locked.Message, locked.Pos, p.meant(locked))
	case locked.Message != now.Message:
		p.findings.Add(kind.pos, diag.LockMismatch,
			"message %s: number %d (%s) is that of %s in the lock (%s), and programs in use would take one for the other; give the kind a number that is new, or its old name%s",
			kind.Message, kind.Number, kind.ValueName, locked.Message, locked.Pos, p.meant(locked))
	case locked.Encoding != now.Encoding:
		p.findings.Add(kindPosition(kind.message, encodingField), diag.LockMismatch,
			"message %s: its encoding is %s, and %s in the lock (%s); programs in use could not read it: write it as it was, or add a kind with a new number%s",
			kind.Message, now.Encoding, locked.Encoding, locked.Pos, p.meant(locked))
	case locked.Direction != now.Direction:
		p.findings.Add(kindPosition(kind.message, directionField), diag.LockMismatch,
			"message %s: its direction is %s, and %s in the lock (%s); programs in use would refuse or drop it: write it as it was, or add a kind with a new number%s",
			kind.Message, now.Direction, locked.Direction, locked.Pos, p.meant(locked))
	case locked.Removed && !p.config.RenewLock:
		p.findings.Add(kind.pos, diag.StaleLock, "message %s: it is removed in the lock (%s); if it is back: `%s`",
			kind.Message, locked.Pos, lock.Command(p.config.Lock.Path()))
	}
}

// newNumber reports a kind that does not have its number from the lock.
func (p *parser) newNumber(kind *kind) {
	old, renumbered := p.config.Lock.Message(kind.Message)
	switch {
	case renumbered && !p.allowed(old.Number):
		p.findings.Add(kind.pos, diag.LockMismatch,
			"message %s: its number is %d (%s), and %d in the lock (%s); programs in use know it by that: give it its number back%s",
			kind.Message, kind.Number, kind.ValueName, old.Number, old.Pos, p.meant(old))
	case !renumbered && !p.config.RenewLock:
		p.findings.Add(kind.pos, diag.StaleLock, "message %s: %s does not have it; if it is new: `%s`",
			kind.Message, p.config.Lock.Path(), lock.Command(p.config.Lock.Path()))
	}
}

func (p *parser) allowed(number int32) bool { return slices.Contains(p.config.AllowBreaking, number) }

// meant tells what to do if the change is meant.
func (p *parser) meant(locked lock.Kind) string {
	return " (if no program in use minds: `" + lock.Command(p.config.Lock.Path()) + " -allow-breaking " +
		strconv.Itoa(int(locked.Number)) + "`)"
}
