package chaos

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An mmsghdr is what recvmmsg and sendmmsg take an array of.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32 // bytes that were received or sent
}

// controlSize is room for the one control message that the front uses: which of the gate's addresses a datagram came to.
const controlSize = 64

// An envelope is what belongs to one datagram beside its bytes.
type envelope struct {
	iov     unix.Iovec
	name    unix.RawSockaddrInet6
	control [controlSize]byte
}

// datagramSize is above the largest datagram: 65,507 bytes of payload, 65,527 with IPv6.
const datagramSize = 64 << 10

// A batch is what so many datagrams are received into. It is borrowed while there are some; memory that no datagram has reached
// is not there.
type batch struct {
	headers   [batchSize]mmsghdr
	envelopes [batchSize]envelope
	data      [batchSize][datagramSize]byte
}

var batches = sync.Pool{New: func() any {
	b := new(batch)
	for i := range b.headers {
		h, e := &b.headers[i].hdr, &b.envelopes[i]
		e.iov.Base = &b.data[i][0]
		e.iov.SetLen(datagramSize)
		h.Iov = &e.iov
		h.SetIovlen(1)
	}
	return b
}}

// rounds is how often one socket is read in its turn, so that others have theirs.
const rounds = 2

// receive tells what has arrived at a descriptor, and reports whether there may be more.
func (d *descriptor) receive(b *batch, to receiver) (more bool) {
	for range rounds {
		for i := range b.headers {
			h, e := &b.headers[i].hdr, &b.envelopes[i]
			if d.s == nil {
				h.Name, h.Namelen = (*byte)(unsafe.Pointer(&e.name)), unix.SizeofSockaddrInet6
			} else {
				h.Name, h.Namelen = nil, 0
			}
			h.Control = nil
			if h.SetControllen(0); d.s == nil && d.k.any {
				h.Control = &e.control[0]
				h.SetControllen(controlSize)
			}
		}
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(d.fd), uintptr(unsafe.Pointer(&b.headers[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EAGAIN:
			return false
		case errno == unix.EINTR:
			continue
		case errno == unix.ECONNREFUSED && d.s != nil:
			to.refused(d.s)
			continue
		case errno != 0:
			if d.s == nil {
				to.failed(errno)
			}
			return false
		}
		to.arriving() // not before: what has come in between would be taken for older than it is, and leave early
		for i := range int(n) {
			data := b.data[i][:b.headers[i].n]
			switch {
			case d.s == nil:
				to.fromClient(b.from(i, d.k.any), data)
			case d.s.server == d: // no other has taken its place meanwhile
				to.fromServer(d.s, data)
			}
		}
		to.flush()
		if n < batchSize || d.closed { // its number may be another's by now
			return false
		}
	}
	return true
}

// drain tells what has arrived at the front. A flood ends it as well.
func (k *kernelSockets) drain(to receiver) {
	b := batches.Get().(*batch)
	defer batches.Put(b)
	for range 256 {
		if !k.front.receive(b, to) {
			return
		}
	}
}

// from returns whose datagram i is.
func (b *batch) from(i int, local bool) (a address) {
	e := &b.envelopes[i]
	if e.name.Family == unix.AF_INET {
		name := (*unix.RawSockaddrInet4)(unsafe.Pointer(&e.name))
		a.peer = netip.AddrPortFrom(netip.AddrFrom4(name.Addr), hostOrder(name.Port))
	} else {
		ip := netip.AddrFrom16(e.name.Addr)
		if e.name.Scope_id != 0 {
			ip = ip.WithZone(zoneName(e.name.Scope_id))
		}
		a.peer = netip.AddrPortFrom(ip, hostOrder(e.name.Port))
	}
	h := &b.headers[i].hdr
	if !local || int(h.Controllen) < unix.CmsgLen(0) {
		return a
	}
	c := (*unix.Cmsghdr)(unsafe.Pointer(&e.control[0]))
	info := unsafe.Pointer(&e.control[unix.CmsgLen(0)])
	switch {
	case c.Level == unix.IPPROTO_IP && c.Type == unix.IP_PKTINFO:
		a.local = netip.AddrFrom4((*unix.Inet4Pktinfo)(info).Addr)
	case c.Level == unix.IPPROTO_IPV6 && c.Type == unix.IPV6_PKTINFO:
		a.local = netip.AddrFrom16((*unix.Inet6Pktinfo)(info).Addr)
	}
	return a
}

// A destination is what sendmmsg needs to reach a client from the address that it used.
type destination struct {
	name    unix.RawSockaddrInet6
	nameLen uint32
	control [controlSize]byte
	size    int // of control, 0 if there is none
}

func (k *kernelSockets) destination(of address) any {
	to := new(destination)
	ip := of.peer.Addr()
	if k.v6 {
		to.name = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: netOrder(of.peer.Port()), Addr: ip.As16(), Scope_id: zoneID(ip.Zone())}
		to.nameLen = unix.SizeofSockaddrInet6
	} else {
		name := (*unix.RawSockaddrInet4)(unsafe.Pointer(&to.name))
		*name = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: netOrder(of.peer.Port()), Addr: ip.As4()}
		to.nameLen = unix.SizeofSockaddrInet4
	}
	if !of.local.IsValid() {
		return to
	}
	c, info := (*unix.Cmsghdr)(unsafe.Pointer(&to.control[0])), unsafe.Pointer(&to.control[unix.CmsgLen(0)])
	if k.v6 {
		c.Level, c.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
		c.SetLen(unix.CmsgLen(unix.SizeofInet6Pktinfo))
		*(*unix.Inet6Pktinfo)(info) = unix.Inet6Pktinfo{Addr: of.local.As16(), Ifindex: zoneID(ip.Zone())}
		to.size = unix.CmsgSpace(unix.SizeofInet6Pktinfo)
	} else {
		c.Level, c.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
		c.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
		*(*unix.Inet4Pktinfo)(info) = unix.Inet4Pktinfo{Spec_dst: of.local.As4()}
		to.size = unix.CmsgSpace(unix.SizeofInet4Pktinfo)
	}
	return to
}

// outgoing is what so many datagrams are sent from.
type outgoing struct {
	headers [batchSize]mmsghdr
	iovs    [batchSize]unix.Iovec
}

func (o *outgoing) init() {
	for i := range o.headers {
		o.headers[i].hdr.Iov = &o.iovs[i]
		o.headers[i].hdr.SetIovlen(1)
	}
}

// noData is what a datagram of no bytes points to.
var noData [1]byte

func (k *kernelSockets) send(ms []message) (int, error) {
	o := &k.outgo
	fd := k.front.fd
	if ms[0].dir == ToServer {
		fd = ms[0].s.server.(*descriptor).fd
	}
	for i := range ms {
		h, m := &o.headers[i].hdr, &ms[i]
		o.iovs[i].Base = &noData[0]
		if len(m.data) > 0 {
			o.iovs[i].Base = &m.data[0]
		}
		o.iovs[i].SetLen(len(m.data))
		h.Name, h.Namelen, h.Control = nil, 0, nil
		h.SetControllen(0)
		if m.dir == ToClient {
			to := m.s.to.(*destination)
			h.Name, h.Namelen = (*byte)(unsafe.Pointer(&to.name)), to.nameLen
			if to.size > 0 {
				h.Control = &to.control[0]
				h.SetControllen(to.size)
			}
		}
	}
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&o.headers[0])), uintptr(len(ms)), unix.MSG_NOSIGNAL, 0, 0)
	for i := range ms {
		o.iovs[i].Base = nil
	}
	if errno == unix.EINTR {
		return 0, nil
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// empty throws away what waits at the front, and counts it.
func (k *kernelSockets) empty() (n int64) {
	for {
		switch _, _, err := unix.Recvfrom(k.front.fd, nil, unix.MSG_DONTWAIT|unix.MSG_TRUNC); err {
		case nil:
			n++
		case unix.EAGAIN:
			return n
		}
	}
}

// mostPeeked is how many datagrams are counted that wait at the front: the kernel goes through all of them for each.
const mostPeeked = 4096

// hits counts what waits at the front. The kernel can tell how many bytes the next datagram has, and no more; so each is looked at, one
// behind the other, and nothing is taken. Where the last look has ended, the next begins. The exchange is not kept waiting by that.
func (k *kernelSockets) hits(now Door) int64 {
	k.peeking.Lock()
	defer k.peeking.Unlock()
	for now == Hold && k.peeked < mostPeeked && !k.closed {
		if _, _, err := unix.Recvfrom(k.front.fd, nil, unix.MSG_DONTWAIT|unix.MSG_PEEK|unix.MSG_TRUNC); err != nil {
			break
		}
		k.peeked++
	}
	return k.peeked
}

// peekFrom sets how many bytes are passed over by the next look at what waits, or with -1 that all looks are at the first.
func (d *descriptor) peekFrom(n int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(d.fd, unix.SOL_SOCKET, unix.SO_PEEK_OFF, n))
}

// hostOrder and netOrder change the order of a port's bytes, which is the network's in a socket's address.
func hostOrder(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}

func netOrder(port uint16) (n uint16) {
	b := (*[2]byte)(unsafe.Pointer(&n))
	b[0], b[1] = byte(port>>8), byte(port)
	return n
}

// zoneName and zoneID translate an interface's index.
func zoneName(id uint32) string {
	if id == 0 {
		return ""
	}
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return strconv.Itoa(int(id))
}

func zoneID(name string) uint32 {
	if name == "" {
		return 0
	}
	if i, err := net.InterfaceByName(name); err == nil {
		return uint32(i.Index)
	}
	id, _ := strconv.ParseUint(name, 10, 32)
	return uint32(id)
}
