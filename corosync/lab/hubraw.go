//go:build linux

package lab

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The hub's thread calls the kernel without a word to the Go scheduler. With ordinary calls the scheduler's monitor takes the processor
// away from each that lasts, and the way back costs the hub more than the packets do (measured with Go 1.26 at 600 packets a second: 18 % of a core against 5.5). The
// price is that a stop of the world waits for the hub, at most hubTick, and that is of no matter: the hub never collects garbage.

// pollRaw is ppoll(2); it returns the number of descriptors that are ready, or -1.
func pollRaw(fds []unix.PollFd, wait *unix.Timespec) int {
	if len(fds) == 0 {
		return -1
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)), uintptr(unsafe.Pointer(wait)), 0, 0, 0)
	if errno != 0 {
		return -1
	}
	return int(n)
}

// ioRaw is read(2) or write(2) on a descriptor that does not block; it returns the number of bytes, or -1.
func ioRaw(call uintptr, fd int32, b []byte) int {
	if len(b) == 0 {
		return -1
	}
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return -1
	}
	return int(n)
}
