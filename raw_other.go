//go:build !unix

package chaos

import (
	"errors"
	"net"
)

// readsRaw tells that readFD does not work.
const readsRaw = false

// A raw is the access to the descriptors of a pump's sockets. There is none on this platform: everything goes through
// the line, and nobody notices bytes that a hold keeps the gate from reading.
type raw struct{}

func newRaw(_, _ net.Conn) *raw { return nil }

func (*raw) read(int) (*chunk, int, error)    { return nil, 0, errors.ErrUnsupported }
func (*raw) readNow(int) (*chunk, int, error) { return nil, 0, errors.ErrUnsupported }
func (*raw) waitRead() error                  { return errors.ErrUnsupported }
func (*raw) move(*pump) (int, error)          { return 0, errors.ErrUnsupported }
func (*raw) close()                           {}
func (*pump) unpipe()                         {}
func (*pump) piped() bool                     { return false }
func (*pump) flushPipe()                      {}
func closePipes()                             {}

func readFD(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

func lingerNone(uintptr) {}
