// Command alltests runs the tests of every module below the current folder and
// says at the end what did not run:
//
//	alltests -race -timeout=10m
//
// Its arguments are passed on to go test. Of a test that passes it shows
// nothing, of one that fails everything, and of each package go test's own
// closing line. A test that skipped itself is listed with the reason it gave,
// so that a suite that is green because nothing could run does not look like
// one that passed.
//
// It exits 0 when all passed, 1 when a test or a package failed and 3 when the
// tests could not be run.
package main
