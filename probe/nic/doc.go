// Package nic tells what carries an address of this host: the interface, the VLANs, bridges and bonds below it, and the physical ports
// at the bottom. It only reads.
package nic
