package risk

// simplex walks downhill from a vector (Nelder and Mead 1965).
func simplex(start vector, value float64, f func(vector) float64) (vector, float64) {
	const steps = 160
	s := walk{f: f}
	s.x[0], s.y[0] = start, value
	for i := range 4 {
		s.x[i+1] = start
		s.x[i+1][i] += 0.7
		s.y[i+1] = f(s.x[i+1])
	}
	for range steps {
		best, worst, second := s.rank()
		if s.y[worst]-s.y[best] < 1e-3 {
			break
		}
		s.step(best, worst, second)
	}
	best, _, _ := s.rank()
	return s.x[best], s.y[best]
}

// walk is a simplex: five vectors and what f says of them.
type walk struct {
	f func(vector) float64
	x [5]vector
	y [5]float64
}

// step replaces the worst vector by a better one opposite, or draws all towards the best.
func (s *walk) step(best, worst, second int) {
	v := s.opposite(worst, -1)
	value := s.f(v)
	switch {
	case value < s.y[best]:
		w := s.opposite(worst, -2)
		if further := s.f(w); further < value {
			v, value = w, further
		}
	case value >= s.y[second]:
		v = s.opposite(worst, 0.5)
		if value = s.f(v); value >= s.y[worst] {
			s.shrink(best)
			return
		}
	}
	s.x[worst], s.y[worst] = v, value
}

// opposite is a point on the line from the middle of the others (0) to a vector (1).
func (s *walk) opposite(of int, by float64) (out vector) {
	for k := range out {
		mid := 0.0
		for i := range s.x {
			if i != of {
				mid += s.x[i][k] / 4
			}
		}
		out[k] = mid + by*(s.x[of][k]-mid)
	}
	return out
}

func (s *walk) shrink(best int) {
	for i := range s.x {
		if i == best {
			continue
		}
		for k := range s.x[i] {
			s.x[i][k] = (s.x[i][k] + s.x[best][k]) / 2
		}
		s.y[i] = s.f(s.x[i])
	}
}

// rank finds the best, the worst and the second worst.
func (s *walk) rank() (best, worst, second int) {
	for i := range s.y {
		if s.y[i] < s.y[best] {
			best = i
		}
		if s.y[i] > s.y[worst] {
			worst = i
		}
	}
	second = best
	for i := range s.y {
		if i != worst && s.y[i] > s.y[second] {
			second = i
		}
	}
	return best, worst, second
}
