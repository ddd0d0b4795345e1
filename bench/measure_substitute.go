package main

import (
	"context"
	"regexp"
	"time"
)

// substitutingLiteral is about a pattern that begins with a text, for which one can search fast.
func substitutingLiteral() measurement {
	return underFault("substitute/literal", "looked through for a pattern that begins with a text", 500,
		fault{text: `substitute pattern="quicksilver [0-9]+" with=mercury`})
}

// substitutingOther is about a pattern that can begin anywhere, beside Go's own search for it.
func substitutingOther() measurement {
	const pattern = `[0-9]{3,5}[a-z]`
	const plain, share = "MB/s of ReplaceAll", "÷ ReplaceAll"
	m := underFault("substitute/other", "looked through for a pattern that can begin anywhere", 0,
		fault{text: "substitute pattern=" + pattern + " with=x"})
	m.about += " ReplaceAll is regexp's, on blocks of 256 KiB and with nothing else to do."
	m.metrics = append(m.metrics, plain, share)
	m.targets = append(m.targets, target{metric: share, least: 0.8})
	speed := m.metrics[0]
	stream := m.turn
	expression := regexp.MustCompile(pattern)
	m.turn = func(ctx context.Context, t turn) (figures, error) {
		f, err := stream(ctx, t)
		if err != nil {
			return nil, err
		}
		start, blocks := time.Now(), 0
		for ; time.Since(start) < t.length/2; blocks++ {
			expression.ReplaceAll(payload(), []byte("x"))
		}
		f[plain] = float64(blocks*block) / 1e6 / time.Since(start).Seconds()
		f[share] = f[speed] / f[plain]
		return f, nil
	}
	return m
}
