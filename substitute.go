package chaos

// Substitute replaces each match of a pattern by a text, wherever in the stream it lies and however it was read. Matches are leftmost and do not
// overlap, as with [regexp.Regexp.ReplaceAll].
//
// The pattern is RE2, over bytes: a dot is any byte but a newline, \xff is the byte 0xFF. It must not match the empty string. With may refer to
// groups, as $1 or ${name}; a dollar is $$.
//
// Held back is only what may yet turn out to be a match, at most Max bytes: a message that cannot begin one passes undelayed. A longer match is not
// replaced. When the stream pauses for 20 ms, when it ends, or when the fault is lifted, what is held back is matched as it stands and goes
// on; so a match that spans a pause can be missed. A datagram is matched by itself, and never held back.
type Substitute struct {
	Pattern string `json:"pattern" need:"true" help:"the regular expression (RE2), at most 1KiB"`
	With    string `json:"with" default:"nothing" help:"what replaces a match; $1 or ${name} is a group, $$ a dollar"`
	Max     int    `json:"max" unit:"B" default:"the longest match, or 4KiB if there is none" help:"how many bytes are held back, and a match can have, at most"`
}

func init() {
	Register("substitute", "Text is replaced by other text.", Substitute{})
}

// Check implements [Checker].
func (f Substitute) Check(string) error {
	if _, err := compileRewrite(f.Pattern, f.With, f.Max); err != nil {
		return &FaultError{Param: "pattern", Given: f.Pattern, Err: err}
	}
	return nil
}

// Impose implements [Fault].
func (f Substitute) Impose(st *Stage, next Sink) Sink {
	w := st.State(func() any { return new(rewriting) }).(*rewriting)
	w.st, w.next = st, next
	w.follow(f.compiled(st))
	st.Cleanup(w.release)
	return w.sink
}
