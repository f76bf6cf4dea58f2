package report

// forecast writes what is to be expected if the network stays as it is.
func (p *printer) forecast() {
	f := p.r.Forecast
	if f == nil {
		return
	}
	p.wrap("FORECAST  ", f.Text)
}
