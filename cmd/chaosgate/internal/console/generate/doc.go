// Command generate bundles the console's page: what is in web, with the libraries in vendored, into dist.
//
//	go run ./generate
//
// It runs in the console's folder. The program does not link it, nor esbuild.
package main
