package api

import (
	"encoding/json"
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
	AppendJSON(b []byte) ([]byte, error)
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
		text, err := a.AppendJSON((*buffer)[:0])
		if err == nil {
			text = append(text, '\n')
			_, err = w.Write(text)
		}
		if cap(text) <= maxKeptBuffer {
			*buffer = text
			buffers.Put(buffer)
		}
		return err
	}
	return format
}

// AppendJSON appends the page as JSON.
func (p ActivityPage) AppendJSON(b []byte) ([]byte, error) {
	b = append(b, `{"items":[`...)
	for i := range p.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.Items[i].appendJSON(b)
	}
	b = appendTextOrNull(append(b, `],"next_cursor":`...), p.NextCursor)
	return append(b, '}'), nil
}

// AppendJSON appends the page as JSON.
func (i Inbox) AppendJSON(b []byte) ([]byte, error) {
	b = append(b, `{"items":[`...)
	for n := range i.Items {
		if n > 0 {
			b = append(b, ',')
		}
		b = i.Items[n].appendJSON(b)
	}
	b = append(b, `],"groups":`...)
	if i.Groups == nil {
		b = append(b, "null"...)
	} else {
		groups, err := json.Marshal(i.Groups)
		if err != nil {
			return b, err
		}
		b = append(b, groups...)
	}
	b = appendTextOrNull(append(b, `,"next_cursor":`...), i.NextCursor)
	b = strconv.AppendInt(append(b, `,"unread_count":`...), int64(i.UnreadCount), 10)
	return append(b, '}'), nil
}

// appendJSON appends the stored fields to those of the event.
func (a *Activity) appendJSON(b []byte) []byte {
	b = a.Event.AppendJSON(b)
	b = b[:len(b)-1] // the brace
	b = appendTime(append(b, `,"recorded_at":`...), a.RecordedAt)
	b = appendID(append(b, `,"owner_id":`...), a.OwnerID)
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

func (n *Notification) appendJSON(b []byte) []byte {
	b = jsontext.AppendUUID(append(b, `{"id":"`...), n.ID)
	b = appendTexts(append(b, `","reasons":`...), n.Reasons)
	b = appendID(append(b, `,"group_id":`...), n.GroupID)
	b = appendTime(append(b, `,"created_at":`...), n.CreatedAt)
	b = appendTimeOrNull(append(b, `,"seen_at":`...), n.SeenAt)
	b = appendTimeOrNull(append(b, `,"read_at":`...), n.ReadAt)
	b = appendTimeOrNull(append(b, `,"archived_at":`...), n.ArchivedAt)
	b = appendTimeOrNull(append(b, `,"snoozed_until":`...), n.SnoozedUntil)
	b = n.Event.AppendJSON(append(b, `,"event":`...))
	return append(b, '}')
}

func appendTexts(b []byte, texts []string) []byte {
	b = append(b, '[')
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, text)
	}
	return append(b, ']')
}

func appendTextOrNull(b []byte, text *string) []byte {
	if text == nil {
		return append(b, "null"...)
	}
	return jsontext.AppendString(b, *text)
}

func appendID(b []byte, id *uuid.UUID) []byte {
	if id == nil {
		return append(b, "null"...)
	}
	return append(jsontext.AppendUUID(append(b, '"'), *id), '"')
}

func appendTime(b []byte, at time.Time) []byte {
	return append(at.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func appendTimeOrNull(b []byte, at *time.Time) []byte {
	if at == nil {
		return append(b, "null"...)
	}
	return appendTime(b, *at)
}
