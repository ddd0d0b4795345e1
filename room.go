package chaos

// room reports whether there is room for more bytes under way. If not, f is posted when there may be.
func (l *line) room(f func()) bool {
	if l.queue.len() == 0 || l.held < int64(l.conn.gate.window()) {
		return true
	}
	l.roomless = append(l.roomless, f)
	return false
}

// callRoomless posts what waits for room, if there is some.
func (l *line) callRoomless() {
	if l.queue.len() > 0 && l.held >= int64(l.conn.gate.window()) {
		return
	}
	fs := l.roomless
	l.roomless = nil
	for _, f := range fs {
		l.post(f)
	}
}
