package runtime

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// jsonReader walks over JSON that is known to be valid. Each method leaves it behind what it has read.
type jsonReader struct {
	data []byte
	at   int
}

func (r *jsonReader) space() {
	for r.at < len(r.data) {
		switch r.data[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// peek gives the first byte of what comes next: each sort of value has its own.
func (r *jsonReader) peek() byte {
	r.space()
	return r.data[r.at]
}

// want is the error for a value of the wrong sort.
func (r *jsonReader) want(what string) error {
	found := "a number"
	switch r.peek() {
	case '{':
		found = "an object"
	case '[':
		found = "an array"
	case '"':
		found = "a string"
	case 't', 'f':
		found = "a boolean"
	case 'n':
		found = "null"
	}
	return fmt.Errorf("want %s, got %s", what, found)
}

// object calls each at the value of each key; it must read or skip the value.
func (r *jsonReader) object(each func(key string) error) error {
	if r.peek() != '{' {
		return r.want("an object")
	}
	r.at++
	for next := r.peek(); next != '}'; next = r.peek() {
		if next == ',' {
			r.at++
		}
		key, err := r.text()
		if err != nil {
			return err
		}
		r.space()
		r.at++ // the colon
		if err := each(key); err != nil {
			return err
		}
	}
	r.at++
	return nil
}

// array calls each at each element; it must read or skip it.
func (r *jsonReader) array(each func(index int) error) error {
	if r.peek() != '[' {
		return r.want("an array")
	}
	r.at++
	for index, next := 0, r.peek(); next != ']'; index, next = index+1, r.peek() {
		if next == ',' {
			r.at++
		}
		if err := each(index); err != nil {
			return err
		}
	}
	r.at++
	return nil
}

// text reads a string. Bytes that are no UTF-8 are an error; an escaped half of a surrogate pair, which JavaScript
// writes for a cut text, becomes U+FFFD.
func (r *jsonReader) text() (string, error) {
	if r.peek() != '"' {
		return "", r.want("a string")
	}
	quoted := r.skip()
	if !utf8.Valid(quoted) {
		return "", errUTF8
	}
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var text string
	err := json.Unmarshal(quoted, &text)
	return text, err
}

// skip leaves out one value, however deep, and gives its bytes.
func (r *jsonReader) skip() []byte {
	r.space()
	from, depth := r.at, 0
	for {
		switch r.data[r.at] {
		case '"':
			r.skipString()
		case '{', '[':
			depth++
			r.at++
		case '}', ']':
			depth--
			r.at++
		case ' ', '\t', '\n', '\r', ',', ':':
			r.at++
		default:
			r.skipLiteral()
		}
		if depth == 0 {
			return r.data[from:r.at]
		}
	}
}

func (r *jsonReader) skipString() {
	for r.at++; r.data[r.at] != '"'; r.at++ {
		if r.data[r.at] == '\\' {
			r.at++
		}
	}
	r.at++
}

// skipLiteral leaves out a number, true, false or null.
func (r *jsonReader) skipLiteral() {
	for ; r.at < len(r.data); r.at++ {
		switch r.data[r.at] {
		case ' ', '\t', '\n', '\r', ',', ':', ']', '}':
			return
		}
	}
}
