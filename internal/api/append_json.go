package api

import (
	"bytes"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// jsonAppender is a response that writes its own JSON. encoding/json would check and copy every
// event again after it has been rendered.
type jsonAppender interface {
	// AppendJSON appends the response as JSON that decodes to what encoding/json writes.
	AppendJSON(b []byte) []byte
}

// maxKeptBuffer is the size of a buffer that is kept for further responses.
const maxKeptBuffer = 256 << 10

// jsonFormat returns the format of responses. It is huma.DefaultJSONFormat but for a jsonAppender.
func jsonFormat() huma.Format {
	format := huma.DefaultJSONFormat
	buffers := sync.Pool{New: func() any { return new([]byte) }}
	format.Marshal = func(w io.Writer, response any) error {
		a, ok := response.(jsonAppender)
		if !ok {
			return huma.DefaultJSONFormat.Marshal(w, response)
		}
		buffer := buffers.Get().(*[]byte)
		text := append(a.AppendJSON((*buffer)[:0]), '\n')
		_, err := w.Write(text)
		if cap(text) <= maxKeptBuffer {
			*buffer = text
			buffers.Put(buffer)
		}
		return err
	}
	return format
}

// appendAll appends items as an array.
func appendAll[T any](b []byte, items []T, appendItem func(*T, []byte) []byte) []byte {
	b = append(b, '[')
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendItem(&items[i], b)
	}
	return append(b, ']')
}

// AppendJSON appends the page as JSON.
func (p ActivityPage) AppendJSON(b []byte) []byte {
	b = appendAll(append(b, `{"items":`...), p.Items, (*Activity).appendJSON)
	b = appendTextOrNull(append(b, `,"next_cursor":`...), p.NextCursor)
	return append(b, '}')
}

// AppendJSON appends the page as JSON.
func (i Inbox) AppendJSON(b []byte) []byte {
	b = appendAll(append(b, `{"items":`...), i.Items, (*Notification).appendJSON)
	b = append(b, `,"groups":`...)
	if i.Groups == nil {
		b = append(b, "null"...)
	} else {
		b = appendAll(b, i.Groups, (*NotificationGroup).appendJSON)
	}
	b = appendTextOrNull(append(b, `,"next_cursor":`...), i.NextCursor)
	b = appendInt(append(b, `,"unread_count":`...), i.UnreadCount)
	return append(b, '}')
}

// AppendJSON appends the activity as JSON, not only the event that it embeds.
func (a Activity) AppendJSON(b []byte) []byte { return a.appendJSON(b) }

// appendJSON appends the stored fields to those of the event.
func (a *Activity) appendJSON(b []byte) []byte {
	b = a.Event.AppendJSON(b)
	b = b[:len(b)-1] // the brace
	b = appendTime(append(b, `,"recorded_at":`...), a.RecordedAt)
	b = jsontext.AppendOptionalUUID(append(b, `,"owner_id":`...), a.OwnerID)
	b = jsontext.AppendString(append(b, `,"status":`...), a.Status)
	b = jsontext.AppendString(append(b, `,"severity":`...), a.Severity)
	b = jsontext.AppendString(append(b, `,"category":`...), a.Category)
	b = jsontext.AppendString(append(b, `,"message":`...), a.Message)
	b = jsontext.AppendString(append(b, `,"request_id":`...), a.RequestID)
	b = appendTexts(append(b, `,"delivery_channels":`...), a.DeliveryChannels)
	for _, of := range []struct {
		name string
		text *string
	}{{`,"traceparent":`, a.Traceparent}, {`,"user_agent":`, a.UserAgent}, {`,"ip_hash":`, a.IPHash}} {
		if of.text != nil {
			b = jsontext.AppendString(append(b, of.name...), *of.text)
		}
	}
	return append(b, '}')
}

// AppendJSON appends the notification as JSON.
func (n Notification) AppendJSON(b []byte) []byte { return n.appendJSON(b) }

func (n *Notification) appendJSON(b []byte) []byte {
	b = jsontext.AppendUUID(append(b, `{"id":"`...), n.ID)
	b = appendTexts(append(b, `","reasons":`...), n.Reasons)
	b = jsontext.AppendOptionalUUID(append(b, `,"group_id":`...), n.GroupID)
	b = appendTime(append(b, `,"created_at":`...), n.CreatedAt)
	b = appendTimeOrNull(append(b, `,"seen_at":`...), n.SeenAt)
	b = appendTimeOrNull(append(b, `,"read_at":`...), n.ReadAt)
	b = appendTimeOrNull(append(b, `,"archived_at":`...), n.ArchivedAt)
	b = appendTimeOrNull(append(b, `,"snoozed_until":`...), n.SnoozedUntil)
	b = n.Event.AppendJSON(append(b, `,"event":`...))
	return append(b, '}')
}

func (g *NotificationGroup) appendJSON(b []byte) []byte {
	b = g.Filter.appendJSON(append(b, `{"filter":`...))
	b = appendInt(append(b, `,"total":`...), g.Total)
	b = appendInt(append(b, `,"unread":`...), g.Unread)
	b = appendTime(append(b, `,"oldest_at":`...), g.OldestAt)
	b = appendTime(append(b, `,"newest_at":`...), g.NewestAt)
	b = appendAll(append(b, `,"actors":`...), g.Actors, (*GroupActor).appendJSON)
	b = appendInt(append(b, `,"actor_count":`...), g.ActorCount)
	b = appendAll(append(b, `,"items":`...), g.Items, (*Notification).appendJSON)
	return append(b, '}')
}

func (f *GroupFilter) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for _, of := range []struct {
		name string
		id   *uuid.UUID
	}{{`"resource":`, f.Resource}, {`"correlation_id":`, f.CorrelationID}, {`"actor":`, f.Actor}} {
		if of.id != nil {
			b = append(jsontext.AppendOptionalUUID(append(b, of.name...), of.id), ',')
		}
	}
	for _, of := range []struct {
		name string
		at   *time.Time
	}{{`"since":`, f.Since}, {`"until":`, f.Until}} {
		if of.at != nil {
			b = append(appendTime(append(b, of.name...), *of.at), ',')
		}
	}
	return append(bytes.TrimSuffix(b, []byte{','}), '}')
}

func (a *GroupActor) appendJSON(b []byte) []byte {
	b = jsontext.AppendUUID(append(b, `{"principal_id":"`...), a.PrincipalID)
	b = jsontext.AppendString(append(b, `","kind":`...), a.Kind)
	b = jsontext.AppendString(append(b, `,"display_name":`...), a.DisplayName)
	return append(b, '}')
}

func appendTexts(b []byte, texts []string) []byte {
	return appendAll(b, texts, func(text *string, b []byte) []byte { return jsontext.AppendString(b, *text) })
}

func appendTextOrNull(b []byte, text *string) []byte {
	if text == nil {
		return append(b, "null"...)
	}
	return jsontext.AppendString(b, *text)
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

func appendTime(b []byte, at time.Time) []byte {
	return append(at.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func appendTimeOrNull(b []byte, at *time.Time) []byte {
	if at == nil {
		return append(b, "null"...)
	}
	return appendTime(b, *at)
}
