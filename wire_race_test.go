//go:build linux && race

package chaos_test

// raceDetector says that the tests run under the race detector, which takes memory and time of its own.
const raceDetector = true
