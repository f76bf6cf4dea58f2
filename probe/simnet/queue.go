package simnet

// queue is a heap by arrival. It is not container/heap, which would allocate for each datagram.
type queue struct {
	items []item
	n     uint64
}

// before orders items by arrival, those of one instant as they were put.
func (a *item) before(b *item) bool {
	if a.at.Equal(b.at) {
		return a.n < b.n
	}
	return a.at.Before(b.at)
}

func (q *queue) push(it item) {
	q.items = append(q.items, it)
	for i := len(q.items) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.items[i].before(&q.items[up]) {
			return
		}
		q.items[i], q.items[up] = q.items[up], q.items[i]
		i = up
	}
}

// pop takes the first item of a queue that is not empty.
func (q *queue) pop() item {
	last := len(q.items) - 1
	first := q.items[0]
	q.items[0], q.items[last] = q.items[last], item{}
	q.items = q.items[:last]
	q.sink(0)
	return first
}

// sink moves item i down to its place.
func (q *queue) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(q.items) {
			return
		}
		if child+1 < len(q.items) && q.items[child+1].before(&q.items[child]) {
			child++
		}
		if !q.items[child].before(&q.items[i]) {
			return
		}
		q.items[i], q.items[child] = q.items[child], q.items[i]
		i = child
	}
}

// order makes a heap of items that were changed.
func (q *queue) order() {
	for i := len(q.items)/2 - 1; i >= 0; i-- {
		q.sink(i)
	}
}
