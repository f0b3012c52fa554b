package roomlog

// SetMaxKeys makes a room full sooner. It is called before anything else.
func (m *Memory) SetMaxKeys(keys int) { m.maxKeys = keys }

// Logs tells how many logs there are.
func (m *Memory) Logs() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.logs)
}

// SetMaxIdle makes it keep fewer empty logs. It is called before anything else.
func (m *Memory) SetMaxIdle(logs int) { m.maxIdle = logs }
