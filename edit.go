package chaos

import "bytes"

// Edit passes what the function returns in place of the bytes it is given, which are whatever was read at once, or one datagram. The function may
// change them and return them; it must not keep them. It runs where the bytes are moved, so it must neither block, nor call the
// gate, nor end the goroutine, as t.Fatal does. If it panics the connection is reset, and the gate reports it.
//
// It returns an empty slice to drop the bytes; of a datagram nil, since a datagram may be empty.
type Edit func(data []byte) []byte

// Impose implements [Fault].
func (f Edit) Impose(st *Stage, next Sink) Sink {
	var before []byte
	failed := false
	return func(s Segment) {
		if failed {
			st.line.forget(s)
			return
		}
		if st.hasData(s) {
			if before = append(before[:0], s.Data...); s.Data == nil {
				s.Data = []byte{} // nil is not the same, returned
			}
			data, err := f.call(s.Data)
			if err != nil {
				failed = true
				st.Hit(len(before))
				st.fail(RST, err)
				return
			}
			if data == nil && st.Datagrams() {
				st.lose(len(before))
				return
			}
			if !bytes.Equal(before, data) {
				st.Hit(len(before))
			}
			s.Data = data
		}
		if len(s.Data) > 0 || s.End != More || st.Datagrams() {
			next(s)
		}
	}
}

// call calls the function; a panic is an error.
func (f Edit) call(data []byte) (edited []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
	}()
	return f(data), nil
}
