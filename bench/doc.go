// Command bench measures a gate side by side with a direct connection and with other proxies, and prints medians, ratios and
// targets in Markdown. make bench, in the repository's root, runs it.
//
// Contenders take turns: each is measured once in each round, and each round begins with another of them. A ratio is that of
// two figures of the same round, and what is printed is the median over the rounds, so that what the machine does besides
// meets all of them alike. Before the first round each has a short turn that does not count.
//
// The load is generated in this process, and each contender has a server to itself, in a child process. So is the gate
// "in process": a child that holds one gate and nothing else, in order that its processor time is the gate's. Processor time,
// memory and descriptors are those of a contender's process with all its children, as /proc tells them; so all this is for Linux.
//
// As root all of this runs in a network namespace of its own, where TCP is set as Linux sets it by default, so that neither the
// machine's settings nor what else runs there decides. (BBR, where it is the machine's, paces every stream by timers, which
// makes a proxy that costs a sixth look like one that costs the same.)
//
// With -toxiproxy there are two contenders alone: the program in the place of Toxiproxy's server, and the real one, both driven by
// Toxiproxy's API, with each toxic.
//
// A measurement is in one file, measure_….go, a contender in one file, peer_….go.
package main
