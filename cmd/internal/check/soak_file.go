package check

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Soak is a long run that is kept in a file, so that it goes on where it was broken off.
type Soak struct {
	// Model runs the model over a stretch of record, of which the end is new. Paths are those so far.
	Model func(t *trace.Trace, fresh time.Duration, paths []verdict.Path) (verdict.Stretch, error)
	// Interim gets what was measured so far, from time to time; nil: nobody asks. The run waits for it.
	Interim func(Measurement)

	file  string
	lock  *os.File
	state *State
}

// ErrBusy says that another run writes the same file.
var ErrBusy = errors.New("another run is writing it")

// OpenSoak takes up the soak in a file, or begins one if there is none, or if it is to be a fresh one. It is an error if the file is of something else. Close
// gives the file free.
func OpenSoak(file string, of Fingerprint, fresh bool) (*Soak, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	s := &Soak{file: file, lock: lock, state: newState(of)}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", file, ErrBusy), lock.Close())
	}
	if !fresh {
		if err := s.load(of); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", file, err), s.Close())
		}
	}
	return s, nil
}

func newState(of Fingerprint) *State {
	return &State{Format: stateFormat, Version: stateVersion, Of: of, Paths: []verdict.Path{}}
}

// Close gives the file free.
func (s *Soak) Close() error { return s.lock.Close() }

// Measured is how much of the soak there is.
func (s *Soak) Measured() time.Duration { return s.state.Soak.Measured.Duration() }

// load reads the file, if it is there.
func (s *Soak) load(of Fingerprint) error {
	text, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return errors.Unwrap(err) // the name is told already
	}
	state, err := decodeState(bytes.NewReader(text))
	if err != nil {
		return err
	}
	if why := of.differs(&state.Of); why != "" {
		return fmt.Errorf("%w %s", ErrForeign, why)
	}
	s.state = state
	return nil
}

// save writes the file: at any time there is the old or the new one, as a whole.
func (s *Soak) save(state *State) error {
	f, err := os.OpenFile(s.file+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(state.encode(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), s.file)
}
