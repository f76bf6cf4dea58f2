package main

import (
	"crypto/rand"
	"strings"

	probestamp "github.com/quorumwatch/quorumwatch/probe/stamp"
)

// key makes or takes the key, and says how the other end gets it.
func (f *reflectFlags) key() (key probestamp.Master, how string, err error) {
	switch {
	case f.open:
		return key, "--open", nil
	case f.keyFile != "":
		key, err = keyOfFile(f.keyFile)
		return key, "--key-file FILE", err
	case f.code != "":
		key, err = keyOfCode(f.code)
		return key, "--code " + f.code, err
	}
	code := newCode()
	key, err = keyOfCode(code)
	return key, "--code " + code, err
}

// codeLength is how many letters of five bits each a code has: 100 bits.
const codeLength = 20

// newCode is a code that nobody can guess, in groups that can be read out.
func newCode() string {
	text := rand.Text()[:codeLength]
	var groups []string
	for i := 0; i < codeLength; i += 5 {
		groups = append(groups, text[i:i+5])
	}
	return strings.Join(groups, "-")
}

// leastCode is how many letters a code needs: 80 bits, if they are random.
const leastCode = 16

// keyOfCode derives the key from a code. Case, hyphens and blanks do not count.
func keyOfCode(code string) (probestamp.Master, error) {
	plain := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	if len(plain) < leastCode {
		return probestamp.Master{}, usage("take the one that 'quorumwatch reflect' printed", "--code: %d letters and digits are too few to be safe", len(plain))
	}
	return probestamp.DeriveKey([]byte(plain))
}
