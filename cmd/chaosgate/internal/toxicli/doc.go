// Package toxicli is the command line of Toxiproxy: it speaks Toxiproxy's HTTP API, to this daemon or to any other server that does.
//
//	os.Exit(toxicli.Run(ctx, version, os.Args[1:], os.Getenv, isTerminal, os.Stdout, os.Stderr))
//
// Off a terminal its output is what scripts read: fields with tabs between them.
package toxicli
