//go:build !linux

package chaos

import "context"

// kernelPackets tells whether datagrams can be moved by descriptors.
const kernelPackets = false

func listenKernel(context.Context, string, string, func(network, address string) error) (sockets, error) {
	panic("not on this platform")
}
