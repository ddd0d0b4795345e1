module github.com/chaosgate/chaos/bench

go 1.26.0

require github.com/chaosgate/chaos v0.0.0

require golang.org/x/sys v0.49.0

replace github.com/chaosgate/chaos => ../
