package runtime

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

var (
	errNotNumber = errors.New("want a number, got a string that is none")
	errNotBool   = errors.New(`want a boolean, got a string that is neither "true" nor "false"`)
	errNotWhole  = errors.New("want a whole number, got one with a fraction")
	errNotBase64 = errors.New("want base64, got a string that is none")
)

func (r *jsonReader) scalar(field protoreflect.FieldDescriptor) (protoreflect.Value, error) {
	switch field.Kind() {
	case protoreflect.StringKind:
		text, err := r.text()
		return protoreflect.ValueOfString(text), err
	case protoreflect.BytesKind:
		raw, err := r.bytes()
		return protoreflect.ValueOfBytes(raw), err
	case protoreflect.BoolKind:
		yes, err := r.boolean()
		return protoreflect.ValueOfBool(yes), err
	case protoreflect.EnumKind:
		return r.enum(field.Enum())
	default:
		token, err := r.number()
		if err != nil {
			return protoreflect.Value{}, err
		}
		return number(field.Kind(), token)
	}
}

// bytes reads base64, standard or URL-safe, with padding or without.
func (r *jsonReader) bytes() ([]byte, error) {
	text, err := r.text()
	if err != nil {
		return nil, err
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	raw, err := encoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, errNotBase64
	}
	return raw, nil
}

func (r *jsonReader) boolean() (bool, error) {
	switch r.peek() {
	case 't', 'f':
		return r.skip()[0] == 't', nil
	case '"':
		text, err := r.text()
		if err != nil {
			return false, err
		}
		return parseBool(text)
	default:
		return false, r.want("a boolean")
	}
}

func parseBool(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, errNotBool
	}
	return text == "true", nil
}

// enum reads a number, a number in a string or the name of a value. Numbers that the enum does not name are taken.
func (r *jsonReader) enum(enum protoreflect.EnumDescriptor) (protoreflect.Value, error) {
	var token string
	var err error
	if r.peek() == '"' {
		token, err = r.text()
	} else {
		token, err = r.number()
	}
	if err != nil {
		return protoreflect.Value{}, err
	}
	if value := enum.Values().ByName(protoreflect.Name(token)); value != nil {
		return protoreflect.ValueOfEnum(value.Number()), nil
	}
	if !isNumber(token) {
		return protoreflect.Value{}, fmt.Errorf("want a value of %s, got a string that is none", enum.FullName())
	}
	parsed, err := parseInt(token, 32)
	return protoreflect.ValueOfEnum(protoreflect.EnumNumber(parsed)), err
}

// number reads a number's text, out of a string too.
func (r *jsonReader) number() (string, error) {
	switch char := r.peek(); {
	case char == '-' || '0' <= char && char <= '9':
		return string(r.skip()), nil
	case char != '"':
		return "", r.want("a number")
	}
	text, err := r.text()
	if err == nil && !isNumber(text) {
		err = errNotNumber
	}
	return text, err
}

// isNumber tells whether a text is a number of JSON: strconv also takes hexadecimal ones, underscores and Inf.
func isNumber(text string) bool {
	return strings.Trim(text, "+-.0123456789eE") == "" && json.Valid([]byte(text))
}

func number(kind protoreflect.Kind, token string) (protoreflect.Value, error) {
	switch kind {
	case protoreflect.DoubleKind:
		parsed, err := strconv.ParseFloat(token, 64)
		return protoreflect.ValueOfFloat64(parsed), rangeError(err, kind.String())
	case protoreflect.FloatKind:
		parsed, err := strconv.ParseFloat(token, 32)
		return protoreflect.ValueOfFloat32(float32(parsed)), rangeError(err, kind.String())
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		parsed, err := parseUint(token, 32)
		return protoreflect.ValueOfUint32(uint32(parsed)), err
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		parsed, err := parseUint(token, 64)
		return protoreflect.ValueOfUint64(parsed), err
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		parsed, err := parseInt(token, 32)
		return protoreflect.ValueOfInt32(int32(parsed)), err
	default: // the signed integers of 64 bits
		parsed, err := parseInt(token, 64)
		return protoreflect.ValueOfInt64(parsed), err
	}
}

func parseInt(token string, bits int) (int64, error) {
	whole, err := wholeNumber(token)
	if err != nil {
		return 0, err
	}
	parsed, err := strconv.ParseInt(whole, 10, bits)
	return parsed, rangeError(err, "int"+strconv.Itoa(bits))
}

func parseUint(token string, bits int) (uint64, error) {
	whole, err := wholeNumber(token)
	if err != nil {
		return 0, err
	}
	parsed, err := strconv.ParseUint(whole, 10, bits)
	return parsed, rangeError(err, "uint"+strconv.Itoa(bits))
}

// rangeError says in our words what strconv says of a number whose form is known to be right.
func rangeError(err error, kind string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the number does not fit into %s", kind)
}

// wholeNumber writes a number without fraction and exponent, 1.5e3 as 1500, without a detour over float64, which has 53
// bits. What is far beyond 64 bits stays something that strconv refuses.
func wholeNumber(token string) (string, error) {
	if !strings.ContainsAny(token, ".eE") {
		if token == "-0" {
			return "0", nil
		}
		return token, nil
	}
	mantissa, exponentText := token, ""
	if at := strings.IndexAny(token, "eE"); at >= 0 {
		mantissa, exponentText = token[:at], token[at+1:]
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	significant := strings.TrimRight(digits, "0")
	if significant == "" {
		return "0", nil
	}
	exponent := 0
	if exponentText != "" {
		exponent, _ = strconv.Atoi(exponentText) // out of range: it stays the largest or the smallest int
	}
	zeros := saturate(exponent) - len(fraction) + len(digits) - len(significant)
	if zeros < 0 {
		return "", errNotWhole
	}
	sign := ""
	if negative {
		sign = "-"
	}
	return sign + significant + strings.Repeat("0", min(zeros, 32)), nil
}

// saturate keeps an exponent small enough to add to it.
func saturate(exponent int) int { return max(-1<<30, min(exponent, 1<<30)) }

func mapKey(field protoreflect.FieldDescriptor, text string) (protoreflect.MapKey, error) {
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text).MapKey(), nil
	case protoreflect.BoolKind:
		yes, err := parseBool(text)
		return protoreflect.ValueOfBool(yes).MapKey(), err
	default:
		if !isNumber(text) {
			return protoreflect.MapKey{}, errNotNumber
		}
		value, err := number(field.Kind(), text)
		if err != nil {
			return protoreflect.MapKey{}, err
		}
		return value.MapKey(), nil
	}
}
