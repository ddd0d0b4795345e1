package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/chaosgate/chaos/matrix"
)

// A step is one thing that a script does.
type step struct {
	send    []byte
	expect  []byte         // read exactly so many bytes, which are these
	match   *regexp.Regexp // read until what was read since the step before matches
	timeout time.Duration  // for each step from here on
	end     bool           // read until the server closes
}

// mostRead is how many bytes are read for one match.
const mostRead = 64 << 10

// Script returns a probe that connects to the gate and does what a script says, its words separated by blanks:
//
//	send "PING\r\n"        sends bytes, quoted as in Go
//	expect "+PONG\r\n"     reads as many bytes, which must be these
//	match "^.*\n"          reads until the regular expression matches what was read, from the beginning of this step
//	timeout 2s             how long each step from here on may take; without it only the deadline ends it
//	end                    reads until the server closes
//
// Its answer is all that was read. Other bytes than those that are expected are a wrong answer.
func Script(network, text string) (matrix.Probe, error) {
	steps, err := parseScript(text)
	if err != nil {
		return nil, fmt.Errorf("probe script: %w", err)
	}
	return func(ctx context.Context, addr string) (matrix.Answer, error) { return play(ctx, network, addr, steps) }, nil
}

func parseScript(text string) ([]step, error) {
	var steps []step
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		word := strings.Fields(rest)[0]
		rest = strings.TrimSpace(rest[len(word):])
		var s step
		var err error
		switch word {
		case "end":
			s.end = true
		case "timeout":
			value, _, _ := strings.Cut(rest, " ")
			rest = rest[len(value):]
			if s.timeout, err = time.ParseDuration(value); err != nil || s.timeout <= 0 {
				return nil, fmt.Errorf("timeout: got %q, want a duration such as 2s", value)
			}
		case "send", "expect", "match":
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, fmt.Errorf(`%s: got %.40q, want a text in quotes, such as "PING\r\n"`, word, rest)
			}
			rest = rest[len(quoted):]
			value, err := strconv.Unquote(quoted)
			if err != nil || value == "" {
				return nil, fmt.Errorf("%s: got %s, want a text that is not empty", word, quoted)
			}
			switch word {
			case "send":
				s.send = []byte(value)
			case "expect":
				s.expect = []byte(value)
			default:
				if s.match, err = regexp.Compile(value); err != nil {
					return nil, fmt.Errorf("match: %w", err)
				}
			}
		default:
			return nil, fmt.Errorf("got %q, want send, expect, match, timeout or end", word)
		}
		steps = append(steps, s)
	}
	if len(steps) == 0 {
		return nil, errors.New(`got nothing, want steps such as send "PING\r\n" expect "+PONG\r\n"`)
	}
	return steps, nil
}

// play connects and does the steps.
func play(ctx context.Context, network, addr string, steps []step) (answer matrix.Answer, err error) {
	timeout := time.Duration(0)
	if steps[0].timeout > 0 {
		timeout = steps[0].timeout
	}
	conn, err := (&net.Dialer{Timeout: timeout}).DialContext(ctx, network, addr)
	if err != nil {
		return answer, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	var read bytes.Buffer
	defer func() { answer.Output = read.String() }()
	for _, s := range steps {
		if s.timeout > 0 {
			timeout = s.timeout
		}
		if timeout > 0 && ctx.Err() == nil {
			conn.SetDeadline(time.Now().Add(timeout))
		}
		if err := s.do(conn, &read); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

// do does a step, and adds to read what it reads.
func (s step) do(conn net.Conn, read *bytes.Buffer) error {
	switch {
	case s.send != nil:
		_, err := conn.Write(s.send)
		return err
	case s.expect != nil:
		from := read.Len()
		_, err := io.CopyN(read, conn, int64(len(s.expect)))
		got := read.Bytes()[from:]
		if !bytes.HasPrefix(s.expect, got) {
			return fmt.Errorf("%w: got %.60q, want %.60q", matrix.ErrWrong, got, s.expect)
		}
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("the server has closed after %d of %d bytes: %w", len(got), len(s.expect), io.ErrUnexpectedEOF)
		}
		return err
	case s.match != nil:
		from, one := read.Len(), make([]byte, 1)
		for !s.match.Match(read.Bytes()[from:]) {
			if read.Len()-from >= mostRead {
				return fmt.Errorf("%w: %d bytes do not match %s", matrix.ErrWrong, mostRead, s.match)
			}
			n, err := conn.Read(one)
			read.Write(one[:n])
			if err != nil {
				return fmt.Errorf("after %d bytes that do not match: %w", read.Len()-from, err)
			}
		}
	case s.end:
		_, err := io.Copy(read, io.LimitReader(conn, mostRead))
		return err
	}
	return nil
}
