package ledger

// numbers is a set of small numbers.
type numbers struct {
	bits []uint64
	last int // the largest
}

func (n *numbers) has(i int) bool { return i/64 < len(n.bits) && n.bits[i/64]&(1<<(i%64)) != 0 }

func (n *numbers) add(i int) {
	for len(n.bits) <= i/64 {
		n.bits = append(n.bits, 0)
	}
	n.bits[i/64] |= 1 << (i % 64)
	n.last = max(n.last, i)
}

// remove leaves last as the largest that is there.
func (n *numbers) remove(i int) {
	n.bits[i/64] &^= 1 << (i % 64)
	for n.last > 0 && !n.has(n.last) {
		n.last--
	}
}
