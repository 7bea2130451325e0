package centrifugo

import (
	"context"
	"errors"

	"github.com/centrifugal/gocent/v3"
)

// Position is a position in a channel's history. Offsets ascend within an epoch; a new epoch begins
// when the server has lost the history.
type Position struct {
	Epoch  string
	Offset uint64
}

// Publication is a message in a channel's history.
type Publication struct {
	Offset uint64
	Data   []byte
}

// ErrUnrecoverable is the error for a position that precedes the history.
var ErrUnrecoverable = errors.New("centrifugo: the position precedes the history")

// codeUnrecoverable is Centrifugo's "unrecoverable position"
// (https://centrifugal.dev/docs/server/codes).
const codeUnrecoverable = 112

// Top returns a channel's current position. The error is an *Error.
func (c *Client) Top(ctx context.Context, channel string) (Position, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	e := c.api.endpoint()
	result, err := e.api.History(ctx, channel, gocent.WithLimit(0))
	if err != nil {
		return Position{}, classify(e.address, err)
	}
	return Position{Epoch: result.Epoch, Offset: result.Offset}, nil
}

// History returns up to limit publications of a channel after a position, and the channel's current
// position. The error is ErrUnrecoverable or an *Error.
func (c *Client) History(
	ctx context.Context,
	channel string,
	after Position,
	limit int,
) ([]Publication, Position, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	e := c.api.endpoint()
	result, err := e.api.History(ctx, channel, gocent.WithLimit(limit),
		gocent.WithSince(&gocent.StreamPosition{Epoch: after.Epoch, Offset: after.Offset}))
	if err != nil {
		var refused gocent.Error
		var pointed *gocent.Error
		if errors.As(err, &refused) && refused.Code == codeUnrecoverable ||
			errors.As(err, &pointed) && pointed.Code == codeUnrecoverable {
			return nil, Position{}, ErrUnrecoverable
		}
		return nil, Position{}, classify(e.address, err)
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
