// Command fidelity measures how exactly a gate does what it is told, on real sockets of the loopback interface, and prints tables
// in Markdown. Each figure stands beside a control: the same code without a gate, in turns with it. When the control is
// too noisy to tell, the verdict is "inconclusive". It is run by make fidelity, in the repository's root.
package main
