package sweep

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/chaosgate/chaos"
	"github.com/chaosgate/chaos/matrix"
)

// someReport has what is hard to show: markup, signs of terminals, what is no text.
func someReport() *Report {
	const nasty = "<script>alert(1)</script> \x1b[31m | * `x`\n\xff"
	data := []byte("GET / HTTP/1.1\r\n<b>\x00\xff")
	return &Report{
		Version: Version, Seed: 42, Subject: matrix.Subject{Name: nasty, Probe: nasty}, Runs: 9, Bad: 1, LeftOut: []string{nasty}, Notes: []string{nasty}, Repeat: "chaosgate sweep " + nasty,
		Exchange: Exchange{Messages: []Message{
			{Conn: 1, Direction: chaos.ToServer, Number: 1, Size: int64(len(data)), Steady: 4, Data: data},
			{Conn: 2, Direction: chaos.ToClient, Number: 1, Size: 1 << 20, Most: 1 << 21, Data: bytes.Repeat([]byte{'x'}, shownData)},
		}},
		Actions: []ActionInfo{{"fin", nasty, "close"}},
		Strips: []Strip{
			{Action: "fin", Conn: 1, Direction: chaos.ToServer, Message: 1, Size: int64(len(data)), Ranges: []Range{
				{From: 0, To: 4, Tried: 3, Verdict: matrix.Error, Says: nasty},
				{From: 5, To: 5, Tried: 1, Verdict: matrix.Wrong, Says: nasty, Repeat: "chaosgate sweep --probe '" + nasty + "'", Sample: matrix.Cell{Attempts: []matrix.Attempt{{Output: nasty}}}},
				{From: 6, To: int64(len(data)), Tried: 2, Verdict: matrix.OK},
			}},
			{Action: "fin", Conn: 2, Direction: chaos.ToClient, Message: 1, Size: 1 << 20, Ranges: []Range{{From: 0, To: 1 << 20, Tried: 4, Verdict: matrix.NotExercised, Says: nasty}}},
		},
	}
}

func TestFormsTakeAnything(t *testing.T) {
	forms := map[string]func(*Report, io.Writer) error{
		"html": (*Report).WriteHTML, "junit": (*Report).WriteJUnit, "markdown": (*Report).WriteMarkdown, "text": (*Report).WriteText, "json": (*Report).WriteJSON,
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := form(someReport(), &b); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			if !utf8.ValidString(text) || strings.Contains(text, "\x1b") {
				t.Error("it has what is no text")
			}
			for line := range strings.Lines(text) {
				isCode := name == "text" || name == "json" || name == "markdown" && strings.HasPrefix(line, "    ")
				if strings.Contains(line, "<script>") && !isCode {
					t.Errorf("got %q, want no markup of others", line)
				}
			}
			if !strings.Contains(text, "fin") {
				t.Error("the action is not in it")
			}
			if name == "junit" {
				for d := xml.NewDecoder(&b); ; {
					if _, err := d.Token(); err == io.EOF {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

func TestRecordIsReadAgain(t *testing.T) {
	var b bytes.Buffer
	want := someReport()
	want.Subject, want.LeftOut, want.Notes, want.Repeat, want.Actions = matrix.Subject{Name: "x"}, []string{"y"}, nil, "", []ActionInfo{}
	for i := range want.Strips {
		for k := range want.Strips[i].Ranges {
			want.Strips[i].Ranges[k].Says, want.Strips[i].Ranges[k].Repeat, want.Strips[i].Ranges[k].Sample = "", "", matrix.Cell{}
		}
	}
	if err := want.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(got)
	first, _ := json.Marshal(want)
	if diff := cmp.Diff(string(first), string(again)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, text := range []string{"", "{}", `{"version":1}`, `{"version":2,"strips":[]}`, "[]"} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
