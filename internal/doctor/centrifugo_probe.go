package doctor

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// probe is what is published to find out whether it arrives.
type probe struct {
	Probe string `json:"fanfare_doctor"`
}

// send publishes a probe to channels. The same key twice is the same message.
func (x *examination) send(ctx context.Context, p probe, key string, channels ...string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return x.api.Publish(ctx, []centrifugo.Broadcast{{Channels: channels, Data: data, IdempotencyKey: key}})[0].Err
}

// newKey returns an idempotency key that nobody has used.
func newKey() string { return uuid.NewString() }
