package stage

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
)

// hostileTexts attack a page that shows them as anything but text.
var hostileTexts = []string{
	`<script>globalThis.__owned = 'script'</script>`,
	`<img src=x onerror="globalThis.__owned='img'">`,
	`"><svg onload=globalThis.__owned='svg'>`,
	`</title></style></textarea><iframe srcdoc="<script>parent.__owned='iframe'</script>">`,
	`javascript:globalThis.__owned='url'`,
	`${globalThis.__owned='template'} {{constructor.constructor("globalThis.__owned='binding'")()}}`,
	"\u202egnp.exe — right to left override\u202c",
	"\u2066isolated\u2067 and not closed",
	"👩‍👩‍👧‍👦🏳️‍🌈🇳🇱 emoji with joiners",
	"Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
	"line one\nline two\r\n\tindented\u2028separator",
	"\u0001\u0007\u001b[31mred\u001b[0m\u200b\ufeff",
	"' OR 1=1 --",
}

// hostilePayload has numbers that JavaScript cannot hold, deep nesting, and names that are hostile.
const hostilePayload = `{
	"amount": 9007199254740993, "negative": -9223372036854775808,
	"wei": 115792089237316195423570985008687907853269984665640564039457584007913129639935,
	"exact": 0.1000000000000000055511151231257827021181583404541015625, "tiny": 1e-300, "zero": -0.0,
	"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, "toString": "text",
	"<b>bold</b>": "<i>italic</i>", "url": "javascript:globalThis.__owned='payload url'",
	"data": "data:text/html,<script>parent.__owned=1</script>", "link": "https://example.com/?q=<script>",
	"deep": [[[[[[[[{"end": [null, true, false]}]]]]]]]], 
	"empty": {"list": [], "object": {}, "text": ""}
}`

// hostile returns envelopes with hostile texts. Grace is notified of each.
func (w *World) hostile(now time.Time) []Envelope {
	if len(w.Resources) == 1 {
		return nil
	}
	var list []Envelope
	add := func(fields Envelope) {
		e := w.envelope("linus", "comment.created", "atlas-grip", map[string]any{
			"comment_id": uuid.New(), "body": "text",
		})
		at := now.Add(time.Duration(len(list)-60) * 20 * time.Millisecond)
		e["occurred_at"] = at.UTC().Format(time.RFC3339Nano)
		for name, value := range fields {
			e[name] = value
		}
		list = append(list, e)
	}
	grace := []uuid.UUID{w.Principals["grace"].ID}
	for _, text := range hostileTexts {
		add(Envelope{
			"message": text, "resource_name": text, "target_principal_ids": grace,
			"payload": map[string]any{"comment_id": uuid.New(), "body": text, text: text},
		})
	}
	add(Envelope{
		"payload": json.RawMessage(hostilePayload), "action": "resource.updated", "target_principal_ids": grace,
	})
	add(Envelope{"message": strings.Repeat("long ", 200), "resource_name": strings.Repeat("W", 255)})
	add(Envelope{"payload": map[string]any{
		"comment_id": uuid.New(), "body": strings.Repeat("5,000 characters. ", 278),
	}})
	add(Envelope{"actor_principal_id": w.Principals["long"].ID, "resource_id": w.Resources["long"].ID})
	add(Envelope{"action": "unregistered.action_without_texts", "resource_type": "<b>type</b>"})
	return list
}
