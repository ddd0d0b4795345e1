package chaos

import (
	"encoding/binary"
	"io"
)

// mostDatagram is how many bytes the largest datagram has: that of IPv6.
const mostDatagram = 65_527

// largestDatagram is the most that the length before a framed datagram can say.
const largestDatagram = 1<<16 - 1

// frame copies datagrams, of which src reads one at a time, into a stream: each behind its length.
func frame(dst io.Writer, src io.Reader) (int64, error) {
	buf := make([]byte, 2+largestDatagram)
	for {
		n, err := src.Read(buf[2:])
		if err == io.EOF {
			return 0, nil
		} else if err != nil {
			return 0, err
		}
		binary.BigEndian.PutUint16(buf, uint16(n))
		if _, err := dst.Write(buf[:2+n]); err != nil {
			return 0, err
		}
	}
}

// unframe does the reverse of frame.
func unframe(dst io.Writer, src io.Reader) (int64, error) {
	buf := make([]byte, largestDatagram)
	for {
		var size [2]byte
		if _, err := io.ReadFull(src, size[:]); err == io.EOF {
			return 0, nil
		} else if err != nil {
			return 0, err
		}
		datagram := buf[:binary.BigEndian.Uint16(size[:])]
		if _, err := io.ReadFull(src, datagram); err != nil {
			return 0, err
		}
		if _, err := dst.Write(datagram); err != nil {
			return 0, err
		}
	}
}
