// Package arch holds the architecture as tests: who may import whom, one door for each third party, no clock and no I/O where
// judgement is pure, one package doc each, files of a size that can be read. It has no product code.
//
// The tables are in table_test.go. A package that is not in them fails: whoever adds one decides there what it may know.
package arch
