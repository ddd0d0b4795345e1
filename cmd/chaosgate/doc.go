// Command chaosgate stands between clients and servers and does to their traffic what a bad network does.
//
//	chaosgate demo                                   every condition on an embedded server, in under a minute
//	chaosgate run 127.0.0.1:16379,127.0.0.1:6379 --to-client 'delay by=200ms'
//
// The faults and the gate are those of the library, github.com/chaosgate/chaos; this program gives them a command
// line. Data goes to stdout and everything else to stderr. The exit code is 0 if all is fine, 1 if the system under
// test failed, 2 if the command line or the configuration is wrong, 3 if the program could not run, 4 if it waited in
// vain, and 130 if it was interrupted.
package main
