// Package browsertest has no code, only tests: the pages that this project writes, in a real Chromium.
package browsertest
