package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/pflag"
)

// logFlags say how a daemon writes its log.
type logFlags struct {
	format logFormat
	level  logLevel
}

func (f *logFlags) add(flags *pflag.FlagSet) {
	flags.Var(textFlag{&f.format}, "log-format", "write the log as `FORMAT`: text, json, or auto, which is text on a terminal and json elsewhere")
	flags.Var(textFlag{&f.level}, "log-level", "write what is as important as `LEVEL`: debug, info, warn or error")
}

// A logFormat is a form of a log.
type logFormat string

var logFormats = []string{"auto", "text", "json"}

// String returns the form's name.
func (f *logFormat) String() string {
	if *f == "" {
		return logFormats[0]
	}
	return string(*f)
}

// UnmarshalText reads the form's name.
func (f *logFormat) UnmarshalText(text []byte) error {
	name, err := choose(string(text), logFormats)
	*f = logFormat(name)
	return err
}

// A logLevel is how important what is written in a log has to be.
type logLevel slog.Level

var logLevels = []string{"debug", "info", "warn", "error"}

// String returns the level's name.
func (l *logLevel) String() string { return strings.ToLower(slog.Level(*l).String()) }

// UnmarshalText reads the level's name.
func (l *logLevel) UnmarshalText(text []byte) error {
	name, err := choose(string(text), logLevels)
	if err != nil {
		return err
	}
	return (*slog.Level)(l).UnmarshalText([]byte(name))
}

// choose returns the given name if it is one of those there are.
func choose(given string, names []string) (string, error) {
	for _, name := range names {
		if given == name {
			return name, nil
		}
	}
	last := len(names) - 1
	return "", fmt.Errorf("got %q, want %s or %s%s", given, strings.Join(names[:last], ", "), names[last], didYouMean(given, names))
}

// handler returns what writes a log of that form for a reader. It takes all levels.
func (f *logFlags) handler(w, reader io.Writer) slog.Handler {
	if f.format == "json" || f.format != "text" && !isTerminal(reader) {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: quoteAttr})
	}
	return tint.NewTextHandler(w, &tint.Options{
		Level: slog.LevelDebug, TimeFormat: "15:04:05.000", NoColor: !bool(paintFor(reader)), ReplaceAttr: quoteAttr,
	})
}

// logLinger is how long the last lines of a log are waited for.
const logLinger = time.Second / 2

// loggers returns a log, and one whose lines are written whatever the level is. Both end with end.
func (f *logFlags) loggers(w io.Writer) (log, always *slog.Logger, end func()) {
	writer := newLogWriter(w, func(lost int) []byte {
		var line bytes.Buffer
		slog.New(f.handler(&line, w)).Warn("lines of the log were lost: nobody has read them in time", "lost", lost)
		return line.Bytes()
	})
	h := f.handler(writer, w)
	return slog.New(atLevel{h, slog.Level(f.level)}), slog.New(h), func() { writer.close(logLinger) }
}

// quoteAttr makes what came over a wire, or from a system, harmless to who looks at the log. No attribute is passed over, so that none
// can be forgotten.
func quoteAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(safe(a.Value.String()))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case error:
			a.Value = slog.StringValue(safe(v.Error()))
		case []string:
			quoted := make([]string, len(v))
			for i, s := range v {
				quoted[i] = safe(s)
			}
			a.Value = slog.AnyValue(quoted)
		}
	}
	return a
}

// An atLevel passes on what is important enough.
type atLevel struct {
	slog.Handler
	least slog.Level
}

// Enabled reports whether a level is important enough.
func (h atLevel) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }

// WithAttrs returns the same with attributes.
func (h atLevel) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLevel{h.Handler.WithAttrs(attrs), h.least}
}

// WithGroup returns the same with a group.
func (h atLevel) WithGroup(name string) slog.Handler {
	return atLevel{h.Handler.WithGroup(name), h.least}
}
