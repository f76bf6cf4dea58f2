//go:build race

package totem

// slow says that the race detector makes everything ten times slower.
const slow = true
