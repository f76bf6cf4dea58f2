//go:build linux

package lab

import "context"

type cpgLoad struct{}

func (l *Lab) startLoad(context.Context) *cpgLoad { return nil }
