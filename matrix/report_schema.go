package matrix

import (
	_ "embed" // the schema
	"slices"
)

//go:embed report.schema.json
var schema []byte

// Schema returns the JSON schema (draft 2020-12) of a report, as [Report.WriteJSON] writes it.
func Schema() []byte { return slices.Clone(schema) }
