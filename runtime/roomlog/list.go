package roomlog

// list is a doubly linked list of what has a link in itself, so that anything can be taken out of the middle. The zero
// value is empty.
type list[T any] struct {
	first, last *link[T]
}

// link is one value's place in a list. It is in one list at most.
type link[T any] struct {
	of         T
	prev, next *link[T]
}

func (l *list[T]) push(in *link[T]) {
	in.prev = l.last
	if l.last == nil {
		l.first = in
	} else {
		l.last.next = in
	}
	l.last = in
}

// remove takes out what is in the list.
func (l *list[T]) remove(in *link[T]) {
	if in.prev == nil {
		l.first = in.next
	} else {
		in.prev.next = in.next
	}
	if in.next == nil {
		l.last = in.prev
	} else {
		in.next.prev = in.prev
	}
	in.prev, in.next = nil, nil
}

// queue gives back in the order of push. The zero value is empty.
type queue[T any] struct {
	items []T
}

func (q *queue[T]) push(item T) { q.items = append(q.items, item) }

// pop drops the first item; there is one.
func (q *queue[T]) pop() {
	var zero T
	q.items[0] = zero
	if q.items = q.items[1:]; len(q.items) == 0 {
		q.items = nil
	}
}
