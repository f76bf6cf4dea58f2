// Package lint finds weak points that are visible before anything fails: in corosync.conf, in what the running daemon made of it, and
// in the interfaces of this node. It is pure.
//
// What the file says by mistake (misspelled keys, options that cancel each other) is known to package corosync already
// (corosync.Config.Warnings). The rules here are about a file that says what was meant, and is a risk nevertheless.
//
// docs/lint.md has a section for each rule; it is written by the package's tests.
package lint
