package report

import (
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// oldForecast is the age from which on it is told: in a cut no new ones are made.
const oldForecast = 10 * time.Minute

// forecast writes what is to be expected if the network stays as it is.
func (p *printer) forecast() {
	f := p.r.Forecast
	if f == nil {
		return
	}
	text := f.Text
	if age := p.r.At.Sub(f.At); age > oldForecast {
		text += fmt.Sprintf(" (made %s ago)", units.Time(age))
	}
	p.wrap("FORECAST  ", text)
}
