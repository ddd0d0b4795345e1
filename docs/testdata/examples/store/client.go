package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// What Get fails with, beside the errors of package net.
var (
	ErrTimeout = errors.New("store: no answer in time")
	ErrCorrupt = errors.New("store: the answer is damaged")
	ErrServer  = errors.New("store: the server reports an error")
)

// timeout is how long a client waits for an answer.
const timeout = time.Second

// A Client asks a server for values, over one connection that it opens when it needs one, and gives up after any error.
type Client struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
}

// Dial returns a client of the server at an address: host and port, or the path of a unix socket.
func Dial(addr string) *Client { return &Client{addr: addr} }

// Get returns the value that is stored under a key.
func (c *Client) Get(ctx context.Context, key string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	v, err := c.ask(ctx, key)
	if err == nil || errors.Is(err, ErrServer) {
		return v, err
	}
	c.Close()
	if errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return "", err
}

// Close closes the connection, if there is one.
func (c *Client) Close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// ask is one request and its answer.
func (c *Client) ask(ctx context.Context, key string) (string, error) {
	if err := c.connect(ctx); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(c.conn, "GET %s\n", key); err != nil {
		return "", err
	}
	line, err := c.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	if text, ok := strings.CutPrefix(line, "ERROR "); ok {
		return "", fmt.Errorf("%w: %s", ErrServer, strings.TrimSpace(text))
	}
	sum, v, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(line, "OK "), "\n"), " ")
	if !strings.HasPrefix(line, "OK ") || sum != fmt.Sprintf("%08x", checksum(v)) {
		return "", ErrCorrupt
	}
	return v, nil
}

// connect opens a connection if there is none, and sets its deadline.
func (c *Client) connect(ctx context.Context) error {
	if c.conn == nil {
		network := "tcp"
		if strings.HasPrefix(c.addr, "/") {
			network = "unix"
		}
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, c.addr)
		if err != nil {
			return err
		}
		c.conn, c.in = conn, bufio.NewReader(conn)
	}
	deadline, _ := ctx.Deadline()
	return c.conn.SetDeadline(deadline)
}
