package centrifugo

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A plan sends every channel once, keeps the limits, and keeps the broadcasts that share an Order
// in one queue, in order.
func TestPlan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := Options{
			PipeSize:        rapid.IntRange(1, 10).Draw(t, "pipe size"),
			MaxInFlight:     rapid.IntRange(1, 5).Draw(t, "in flight"),
			AudienceSize:    rapid.IntRange(1, 4).Draw(t, "audience size"),
			MaxPipeBytes:    rapid.IntRange(1, 2000).Draw(t, "pipe bytes"),
			MaxMessageBytes: 100,
		}.withDefaults()
		broadcasts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Broadcast {
			b := Broadcast{
				Order: [16]byte{byte(rapid.IntRange(0, 5).Draw(t, "order"))},
				Data:  []byte(`"` + strings.Repeat("x", 78) + `"`),
			}
			for i := range rapid.IntRange(0, 9).Draw(t, "channels") {
				b.Channels = append(b.Channels, fmt.Sprint("channel", i))
			}
			return b
		}), 0, 60).Draw(t, "broadcasts")

		c := &call{
			client: &Client{opts: o}, results: make([]Result, len(broadcasts)),
			nodes: rapid.IntRange(1, 4).Draw(t, "nodes"),
		}
		queues := c.plan(broadcasts)
		if len(queues) > o.MaxInFlight {
			t.Fatalf("got %d queues, want at most %d", len(queues), o.MaxInFlight)
		}
		sent := make([][]string, len(broadcasts))
		home := map[[16]byte]int{}
		for s, queue := range queues {
			last := -1
			for _, pipe := range o.pipes(queue.commands, 0) {
				bytes := 0
				for _, cmd := range pipe {
					bytes += cmd.bytes()
					if len(cmd.channels) > o.AudienceSize {
						t.Fatalf("got %d channels in a broadcast, want at most %d", len(cmd.channels), o.AudienceSize)
					}
					if cmd.broadcast < last {
						t.Fatalf("got broadcast %d after %d", cmd.broadcast, last)
					}
					last = cmd.broadcast
					sent[last] = append(sent[last], cmd.channels...)
					if order := broadcasts[last].Order; order != [16]byte{} {
						if was, ok := home[order]; ok && was != s {
							t.Fatalf("got order %x in queues %d and %d", order[0], was, s)
						}
						home[order] = s
					}
				}
				if len(pipe) > o.PipeSize || bytes > o.MaxPipeBytes && len(pipe) > 1 {
					t.Fatalf(
						"got a pipe of %d commands and %d bytes, want at most %d and %d",
						len(pipe),
						bytes,
						o.PipeSize,
						o.MaxPipeBytes,
					)
				}
			}
		}
		for i, b := range broadcasts {
			if !slices.Equal(sent[i], b.Channels) {
				t.Fatalf("broadcast %d: sent to %q, want %q", i, sent[i], b.Channels)
			}
		}
	})
}

// Broadcasts without a common Order fill the queues evenly and the requests fully.
func TestPlanFillsPipes(t *testing.T) {
	t.Parallel()
	o := Options{}.withDefaults()
	c := &call{client: &Client{opts: o}, results: make([]Result, 1000)}
	broadcasts := make([]Broadcast, 1000)
	for i := range broadcasts {
		broadcasts[i] = Broadcast{
			Order:    [16]byte{1, byte(i), byte(i >> 8)},
			Channels: []string{"news"},
			Data:     []byte(`1`),
		}
	}
	var sizes []int
	for _, queue := range c.plan(broadcasts) {
		for _, pipe := range o.pipes(queue.commands, 0) {
			sizes = append(sizes, len(pipe))
		}
	}
	if want := []int{250, 250, 250, 250}; !slices.Equal(sizes, want) {
		t.Errorf("got pipes of %d, want %d", sizes, want)
	}
}
