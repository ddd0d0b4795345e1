package status

import "time"

// A Console is where a browser finds the console.
type Console struct {
	Path string    `json:"path" doc:"the path of the link, at the daemon's address"`
	Till time.Time `json:"till,omitzero" doc:"until when the link lets a browser in, once; nothing if it always does"`
}
