package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Read reads a report from JSON and refuses what is none, or is of a version that this package does not know.
func Read(r io.Reader) (*Report, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var head struct {
		Version *int `json:"version"`
		Cells   *any `json:"cells"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("no report: %w", err)
	}
	switch {
	case head.Version == nil || head.Cells == nil:
		return nil, errors.New("no report: it has no version or no cells")
	case *head.Version != Version:
		return nil, fmt.Errorf("version: got %d, want %d: another release of chaosgate reads it", *head.Version, Version)
	}
	var report Report
	if err := json.Unmarshal(data, &report); err != nil {
		return nil, fmt.Errorf("no report: %w", err)
	}
	return &report, nil
}

// WriteJSON writes the report, indented.
func (r *Report) WriteJSON(w io.Writer) error {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(r); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
