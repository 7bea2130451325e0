package doctor

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// probe is a message that the checks publish.
type probe struct {
	Probe string `json:"fanfare_doctor"`
}

// send publishes a probe to channels. Centrifugo delivers one message for each idempotency key.
func (x *examination) send(ctx context.Context, p probe, key string, channels ...string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return x.api.Publish(ctx, []centrifugo.Broadcast{{Channels: channels, Data: data, IdempotencyKey: key}})[0].Err
}

// newKey returns a new idempotency key.
func newKey() string { return uuid.NewString() }
