//go:build linux

package main

import "io"

func tableLoss(w io.Writer, o proveOptions) ([]requirement, error) {
	cells, err := readRecord[lossCell](o.record, "loss")
	return tabulateLoss(w, cells), err
}

func tabulateLoss(w io.Writer, cells []lossCell) []requirement { return nil }
