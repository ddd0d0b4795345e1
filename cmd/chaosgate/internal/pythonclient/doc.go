// Package pythonclient has no code, only a test: it runs the tests of the Python package, clients/python, with pytest,
// on the program as it is built here.
//
// Each test of Python's is a subtest, under its own name:
//
//	go test ./internal/pythonclient -run 'TestPython/test_client.py'
//
// runs all of them and reports those. Where Python or pytest is missing the test skips itself and says so.
package pythonclient
