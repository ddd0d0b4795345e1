package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaosgate/chaos/cmd/chaosgate/internal/hub"
	"github.com/chaosgate/chaos/spec"
)

// A Problem is an error as RFC 9457 has it.
type Problem struct {
	Type   string `json:"type" doc:"always about:blank"`
	Title  string `json:"title" doc:"the status in words"`
	Status int    `json:"status"`
	Detail string `json:"detail" doc:"what is wrong: what was given, and what is allowed"`
	Code   string `json:"code" doc:"what is wrong, for programs: unknown, taken, invalid, malformed, unable, forbidden, timed_out, gone, failed, restarted, unauthorized, too_large, not_json, no_route, no_method"`
	Path   string `json:"path,omitempty" doc:"the way to the value that is wrong, such as to_server[0].delay.by"`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the type of errors in place of that of answers.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

func newProblem(status int, code, path, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code, Path: path}
}

// statuses are the statuses of what a hub says.
var statuses = map[hub.Code]int{
	hub.Unknown:   http.StatusNotFound,
	hub.Taken:     http.StatusConflict,
	hub.Invalid:   http.StatusUnprocessableEntity,
	hub.Unable:    http.StatusConflict,
	hub.Forbidden: http.StatusForbidden,
	hub.TimedOut:  http.StatusRequestTimeout,
	hub.Gone:      http.StatusGone,
	hub.Failed:    http.StatusInternalServerError,
}

// problemOf returns an error as it is told.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*hub.Error](err); ok {
		return newProblem(statuses[e.Code], string(e.Code), e.Path, e.Error())
	}
	if e, ok := errors.AsType[*spec.Error](err); ok {
		return newProblem(http.StatusUnprocessableEntity, string(hub.Invalid), e.Path, e.Error())
	}
	return newProblem(http.StatusInternalServerError, string(hub.Failed), "", err.Error())
}

func init() {
	// What huma refuses itself, parameters above all, is told as everything else is.
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		p := newProblem(status, string(hub.Invalid), "", message)
		var details []string
		for _, err := range errs {
			detail, ok := err.(huma.ErrorDetailer)
			if !ok {
				details = append(details, err.Error())
				continue
			}
			d := detail.ErrorDetail()
			_, name, _ := strings.Cut(d.Location, ".")
			if p.Path == "" {
				p.Path = name
			}
			given, _ := json.Marshal(d.Value)
			details = append(details, name+": got "+string(given)+", "+d.Message)
		}
		if len(details) > 0 {
			p.Detail = strings.Join(details, "; ")
		}
		return p
	}
}

// write writes a problem.
func write(w http.ResponseWriter, p *Problem) {
	data, _ := json.Marshal(p)
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	w.Write(append(data, '\n'))
}
