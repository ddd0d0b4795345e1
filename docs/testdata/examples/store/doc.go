// Package store is the client of the manual's examples, and the server that it speaks to.
//
// A request is a line, "GET " and a key. The answer is a line as well: "OK ", a checksum and the value, or "ERROR " and what is
// wrong. At QUIT the server closes the connection.
//
// By UDP a request and its answer are one datagram each, without an end of line. Both begin with the request's number and a blank.
package store
