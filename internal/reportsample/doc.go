// Package reportsample makes reports of runs that never were, for the tests of whatever reads reports:
//
//	report := reportsample.Every() // a matrix of the standard size, with every verdict somewhere
//	report.WriteHTML(w)
//
// They are the same each time.
package reportsample
