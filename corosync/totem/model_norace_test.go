//go:build !race

package totem

const slow = false
