package centrifugo

import (
	"context"
	"errors"

	"github.com/centrifugal/gocent/v3"
)

// Position is a place in a channel's history: offsets count up within an epoch,
// and a new epoch begins when the server has lost the history.
type Position struct {
	Epoch  string
	Offset uint64
}

// Publication is a message as the history keeps it.
type Publication struct {
	Offset uint64
	Data   []byte
}

// ErrUnrecoverable says that the history does not reach back to a position.
var ErrUnrecoverable = errors.New("centrifugo: the history does not reach back that far")

// codeUnrecoverable is Centrifugo's "unrecoverable position"
// (https://centrifugal.dev/docs/server/codes).
const codeUnrecoverable = 112

// History returns at most limit publications of a channel after a position, and
// where the channel stands. The error is ErrUnrecoverable or an *Error.
func (c *Client) History(
	ctx context.Context,
	channel string,
	after Position,
	limit int,
) ([]Publication, Position, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	result, err := c.api.History(ctx, channel, gocent.WithLimit(limit),
		gocent.WithSince(&gocent.StreamPosition{Epoch: after.Epoch, Offset: after.Offset}))
	if err != nil {
		var refused gocent.Error
		var pointed *gocent.Error
		if errors.As(err, &refused) && refused.Code == codeUnrecoverable ||
			errors.As(err, &pointed) && pointed.Code == codeUnrecoverable {
			return nil, Position{}, ErrUnrecoverable
		}
		return nil, Position{}, classify(c.address, err)
	}
	now := Position{Epoch: result.Epoch, Offset: result.Offset}
	found := make([]Publication, len(result.Publications))
	for i, p := range result.Publications {
		found[i] = Publication{Offset: p.Offset, Data: p.Data}
	}
	if now.Epoch != after.Epoch || now.Offset < after.Offset || len(found) > 0 && found[0].Offset != after.Offset+1 ||
		len(found) == 0 && now.Offset > after.Offset {
		return nil, now, ErrUnrecoverable
	}
	return found, now, nil
}
