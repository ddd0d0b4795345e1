// Package store is the client of the manual's examples, and the server that it speaks to.
//
// A request is a line, "GET " and a key. The answer is a line as well: "OK ", a checksum and the value, or "ERROR " and what is
// wrong. At QUIT the server closes the connection.
package store
