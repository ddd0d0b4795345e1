// Package examples is where the examples of the manual are compiled and run: each block of Go in the README and in
// docs becomes a file of this package for that time. What they have in common is here.
package examples
