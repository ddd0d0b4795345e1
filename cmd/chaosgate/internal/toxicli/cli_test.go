package toxicli

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/cmd/chaosgate/internal/toxiproxy"
)

var (
	update  = flag.Bool("update", false, "rewrite what the transcript expects")
	against = flag.String("against", "", "the URL of a Toxiproxy server without proxies: play the transcript to it as well")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	anyPort  = regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`)
	trailing = regexp.MustCompile(`\s+$`)
)

// play runs each command of a transcript, and returns it with what comes of it: a line "$ COMMAND" or, on a terminal, "% COMMAND", then its output, its
// errors behind "! ", and its exit code if that is not 0.
func play(t *testing.T, transcript, url string) string {
	t.Helper()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	var out strings.Builder
	for line := range strings.Lines(transcript) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") || line == "" {
			fmt.Fprintln(&out, line)
			continue
		}
		if !strings.HasPrefix(line, "$ ") && !strings.HasPrefix(line, "% ") {
			continue // what came of the one before
		}
		var stdout, stderr bytes.Buffer
		args := strings.Fields(strings.ReplaceAll(line[2:], "BUSY", busy.Addr().String()))
		code := Run(t.Context(), "2.12.0", args, func(string) string { return url }, line[0] == '%', &stdout, &stderr)
		fmt.Fprintln(&out, line)
		text := strings.ReplaceAll(stdout.String(), busy.Addr().String(), "BUSY")
		out.WriteString(shown("  ", text))
		out.WriteString(shown("! ", strings.ReplaceAll(strings.TrimSpace(stderr.String()), busy.Addr().String(), "BUSY")))
		if code != 0 {
			fmt.Fprintf(&out, "= %d\n", code)
		}
	}
	return anyPort.ReplaceAllString(out.String(), "127.0.0.1:PORT")
}

// shown returns lines behind a mark, with what does not print as Go writes it.
func shown(mark, text string) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if line = trailing.ReplaceAllString(strings.NewReplacer("\t", `\t`, "\x1b", `\e`).Replace(line), ""); line == "" {
			line = `\n` // an empty line in the file is the file's own
		}
		b.WriteString(mark + line + "\n")
	}
	return b.String()
}

func TestTranscript(t *testing.T) {
	h, err := hub.New(hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	web := httptest.NewServer(toxiproxy.New(h, toxiproxy.Options{Version: "2.12.0"}))
	defer web.Close()
	defer http.DefaultClient.CloseIdleConnections()
	const name = "testdata/transcript.txt"
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got := play(t, string(want), web.URL)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if *against != "" {
		t.Logf("from Toxiproxy: (-here +there)\n%s", cmp.Diff(got, play(t, string(want), *against)))
	}
}
