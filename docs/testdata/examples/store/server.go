package store

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"net"
	"strings"
)

// Serve answers whoever connects, until the listener is closed.
func Serve(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go answer(conn)
	}
}

// answer answers the requests of one connection.
func answer(conn net.Conn) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		verb, key, _ := strings.Cut(lines.Text(), " ")
		var err error
		switch verb {
		case "GET":
			v := value(key)
			_, err = fmt.Fprintf(conn, "OK %08x %s\n", checksum(v), v)
		case "QUIT":
			return
		default:
			_, err = fmt.Fprintf(conn, "ERROR unknown request %q\n", verb)
		}
		if err != nil {
			return
		}
	}
}

// value returns what is stored: under "large" 64 KiB, under any other key a few words.
func value(key string) string {
	if key == "large" {
		return strings.Repeat("value of ", 64<<10/len("value of "))
	}
	return "value of " + key
}

func checksum(text string) uint32 { return crc32.ChecksumIEEE([]byte(text)) }
