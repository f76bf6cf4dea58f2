// Package checker judges: observations in, one immutable Report out. It is pure: now is an argument, and there is no
// goroutine, logger or I/O.
package checker
