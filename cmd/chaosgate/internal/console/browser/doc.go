// Package browser has tests that use the console as a person does: in a real Chromium, on a daemon of its own, with real servers behind its
// gates. What the page says and does is compared with what the daemon and the servers say.
//
// Tests are skipped, with a sentence, where Chromium is missing. The screenshots in docs are made by them, when they are asked to:
//
//	CHAOSGATE_SHOTS=1 go test ./internal/console/browser -run Screenshots
package browser
