package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
)

// Task is one of the things that an agent does at the same time as others.
type Task interface {
	// Run works until ctx ends or the task can't go on; the error says why. It returns nil when ctx ended.
	Run(ctx context.Context) error
	// Ready is closed once the task does its work.
	Ready() <-chan struct{}
	// String is the task's name in logs.
	String() string
}

// task is a Task made of a function.
type task struct {
	name  string
	ready chan struct{}
	run   func(ctx context.Context, ready func()) error
}

// newTask returns a Task that calls run, which calls ready when it works.
func newTask(name string, run func(ctx context.Context, ready func()) error) Task {
	return &task{name: name, ready: make(chan struct{}), run: run}
}

func (t *task) Run(ctx context.Context) error {
	return t.run(ctx, sync.OnceFunc(func() { close(t.ready) }))
}

func (t *task) Ready() <-chan struct{} { return t.ready }

func (t *task) String() string { return t.name }

// runTasks runs all tasks under one group: the first that fails ends the others. ready is called when all are.
func runTasks(ctx context.Context, log zerolog.Logger, tasks []Task, ready func()) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, t := range tasks {
		group.Go(func() error {
			log.Debug().Stringer("task", t).Msg("task starts")
			err := t.Run(ctx)
			if err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("%s: %w", t, err)
			}
			log.Debug().Stringer("task", t).Msg("task ended")
			return nil
		})
	}
	group.Go(func() error {
		for _, t := range tasks {
			select {
			case <-t.Ready():
			case <-ctx.Done():
				return nil
			}
		}
		ready()
		return nil
	})
	return group.Wait()
}
