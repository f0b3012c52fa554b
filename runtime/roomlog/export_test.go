package roomlog

// SetMaxKeys makes a room full sooner. It is called before anything else.
func (m *Memory) SetMaxKeys(keys int) { m.maxKeys = keys }
