//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// OpenTerminal makes a terminal of 80 columns and 24 lines: what a process writes to inner, which it takes for a person's screen, is read from outer, until an error when
// nobody has inner open any more (pty(7); ioctl_tty(2), TIOCGPTPEER). The caller closes both.
func OpenTerminal() (outer, inner *os.File, err error) {
	const name = "/dev/ptmx"
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("terminal: %s: %w", name, err)
	}
	outer = os.NewFile(uintptr(fd), name)
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("terminal: unlock: %w", err), outer.Close())
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: 80, Row: 24}); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("terminal: size: %w", err), outer.Close())
	}
	peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		return nil, nil, errors.Join(fmt.Errorf("terminal: the other end: %w", errno), outer.Close())
	}
	return outer, os.NewFile(peer, "terminal"), nil
}
