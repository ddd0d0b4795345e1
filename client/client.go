package client

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// DefaultURL is where a daemon listens unless it is told otherwise.
const DefaultURL = "http://127.0.0.1:8474"

// Options say how a daemon is spoken to. The zero Options are right for one on this machine.
type Options struct {
	Token string       // what the daemon wants to be shown; none if empty
	By    string       // who asks: a test's or a person's name, which stands in events beside what was asked for
	Boot  string       // the run of the daemon that is meant: another one refuses with [ErrRestarted]; any if empty
	Pin   bool         // the run that answers first is the one that is meant
	HTTP  *http.Client // speaks HTTP; if nil, one that follows no redirects
}

// A Client speaks to a daemon. All goroutines may use it.
type Client struct {
	url   string // without a slash at its end
	token string
	by    string
	pin   bool
	http  *http.Client
	meant atomic.Pointer[string] // the run of the daemon that is meant; nil if that is not known yet
	boot  atomic.Pointer[string] // the run that has answered last
}

// New returns a client of the daemon at a URL, such as [DefaultURL], which stands for an empty one. It does not ask the daemon anything
// yet.
func New(daemon string, o Options) (*Client, error) {
	daemon = cmp.Or(daemon, DefaultURL)
	if !strings.Contains(daemon, "://") {
		daemon = "http://" + daemon
	}
	u, err := url.Parse(daemon)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("daemon: got %q, want a URL such as %s", daemon, DefaultURL)
	}
	for _, text := range []struct{ name, value string }{{"token", o.Token}, {"by", o.By}, {"boot", o.Boot}} {
		if strings.ContainsFunc(text.value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("%s: got control characters, want a name on one line", text.name)
		}
	}
	c := &Client{url: strings.TrimRight(u.String(), "/"), token: o.Token, by: o.By, pin: o.Pin, http: o.HTTP}
	if c.http == nil {
		c.http = &http.Client{
			Transport:     http.DefaultTransport.(*http.Transport).Clone(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if o.Boot != "" {
		c.meant.Store(&o.Boot)
	}
	return c, nil
}

// URL returns where the daemon is.
func (c *Client) URL() string { return c.url }

// Boot names the run of the daemon that has answered last; it is empty before the first answer.
func (c *Client) Boot() string {
	if boot := c.boot.Load(); boot != nil {
		return *boot
	}
	return ""
}

// Close lets go of connections to the daemon that are not in use. What was imposed stays.
func (c *Client) Close() { c.http.CloseIdleConnections() }
