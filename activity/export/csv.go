package export

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// columns are the headings of CSV. A new column is added after the others.
var columns = []string{
	"id", "tenant_id", "occurred_at", "recorded_at", "action", "actor_principal_id", "resource_type", "resource_id",
	"resource_name", "parent_id", "owner_id", "target_principal_ids", "correlation_id", "visibility", "status",
	"severity", "category", "message", "request_id", "user_agent", "traceparent", "ip_hash", "ip_key_id",
	"delivery_channels", "warning", "payload",
}

// appendRecord appends a record of CSV (RFC 4180). A field that was not given is an empty cell.
func appendRecord(b []byte, a *activity.Activity) []byte {
	b = append(appendID(b, a.ID), ',')
	b = append(appendID(b, a.TenantID), ',')
	b = append(appendTime(b, a.OccurredAt), ',')
	b = append(appendTime(b, a.RecordedAt), ',')
	b = append(appendCell(b, a.Action), ',')
	b = append(appendID(b, a.ActorPrincipalID), ',')
	b = append(appendCell(b, a.ResourceType), ',')
	b = append(appendID(b, a.ResourceID), ',')
	b = append(appendCell(b, a.ResourceName), ',')
	b = append(appendID(b, a.ParentID), ',')
	b = append(appendID(b, a.OwnerID), ',')
	b = append(appendIDs(b, a.TargetPrincipalIDs), ',')
	b = append(appendID(b, a.CorrelationID), ',')
	b = append(appendCell(b, string(a.Visibility)), ',')
	b = append(appendCell(b, string(a.Status)), ',')
	b = append(appendCell(b, string(a.Severity)), ',')
	b = append(appendCell(b, a.Category), ',')
	b = append(appendCell(b, a.Message), ',')
	b = append(appendCell(b, a.RequestID), ',')
	b = append(appendCell(b, a.UserAgent), ',')
	b = append(appendCell(b, a.Traceparent), ',')
	b = append(hex.AppendEncode(b, a.IPHash), ',')
	if a.IPKeyID != 0 {
		b = strconv.AppendInt(b, int64(a.IPKeyID), 10)
	}
	b = append(b, ',')
	if len(a.DeliveryChannels) > 0 {
		b = appendCell(b, strings.Join(a.DeliveryChannels, " ")) // channels contain no spaces
	}
	b = append(b, ',')
	b = append(appendCell(b, a.Warning), ',')
	b = appendCell(b, a.Payload)
	return append(b, "\r\n"...)
}

// startsFormula reports whether a spreadsheet could evaluate a cell that begins as the text does
// (https://owasp.org/www-community/attacks/CSV_Injection): with a formula's first character, which
// some also accept in its full-width form, or with white space that they skip before one.
func startsFormula[T string | ~[]byte](text T) bool {
	switch text[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return true
	case 0xEF: // the first byte of U+FF1D
		r, _ := utf8.DecodeRuneInString(string(text[:min(len(text), utf8.UTFMax)]))
		return r == '＝' || r == '＋' || r == '－' || r == '＠'
	}
	return false
}

// appendCell appends a text, after an apostrophe if a spreadsheet would evaluate it otherwise.
func appendCell[T string | ~[]byte](b []byte, text T) []byte {
	if len(text) == 0 {
		return b
	}
	quoted := false
	for i := range len(text) {
		if c := text[i]; c == '"' || c == ',' || c == '\n' || c == '\r' {
			quoted = true
			break
		}
	}
	formula := startsFormula(text)
	if !quoted && text[0] != ' ' && !formula {
		return append(b, text...)
	}
	b = append(b, '"')
	if formula {
		b = append(b, '\'')
	}
	from := 0
	for i := range len(text) {
		if text[i] == '"' {
			b = append(append(b, text[from:i+1]...), '"')
			from = i + 1
		}
	}
	return append(append(b, text[from:]...), '"')
}

// appendTime appends a time in UTC (RFC 3339), nothing for the zero time.
func appendTime(b []byte, at time.Time) []byte {
	if at.IsZero() {
		return b
	}
	return at.UTC().AppendFormat(b, time.RFC3339Nano)
}

// appendIDs appends ids with spaces between them.
func appendIDs(b []byte, ids []uuid.UUID) []byte {
	for i, id := range ids {
		if i > 0 {
			b = append(b, ' ')
		}
		b = jsontext.AppendUUID(b, id)
	}
	return b
}

// appendID appends an id, nothing for uuid.Nil.
func appendID(b []byte, id uuid.UUID) []byte {
	if id == uuid.Nil {
		return b
	}
	return jsontext.AppendUUID(b, id)
}
