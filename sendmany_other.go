//go:build !linux

package chaos

// writeMany does nothing where small writes cannot be handed over together.
func (p *pump) writeMany() bool { return false }
