package export

import (
	"encoding/hex"
	"strconv"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// appendObject appends a JSON object with every field, always in the same order. Ids, IP hashes and
// key ids that were not given are null, texts are empty. A new field is added before the payload.
func appendObject(b []byte, a *activity.Activity) []byte {
	b = appendIDField(b, `{"id":`, a.ID)
	b = appendIDField(b, `,"tenant_id":`, a.TenantID)
	b = append(appendTime(append(b, `,"occurred_at":"`...), a.OccurredAt), '"')
	b = append(appendTime(append(b, `,"recorded_at":"`...), a.RecordedAt), '"')
	b = appendTextField(b, `,"action":`, a.Action)
	b = appendIDField(b, `,"actor_principal_id":`, a.ActorPrincipalID)
	b = appendTextField(b, `,"resource_type":`, a.ResourceType)
	b = appendIDField(b, `,"resource_id":`, a.ResourceID)
	b = appendTextField(b, `,"resource_name":`, a.ResourceName)
	b = appendIDField(b, `,"parent_id":`, a.ParentID)
	b = appendIDField(b, `,"owner_id":`, a.OwnerID)
	b = append(b, `,"target_principal_ids":[`...)
	for i, id := range a.TargetPrincipalIDs {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendUUIDOrNull(b, id)
	}
	b = append(b, ']')
	b = appendIDField(b, `,"correlation_id":`, a.CorrelationID)
	b = appendTextField(b, `,"visibility":`, string(a.Visibility))
	b = appendTextField(b, `,"status":`, string(a.Status))
	b = appendTextField(b, `,"severity":`, string(a.Severity))
	b = appendTextField(b, `,"category":`, a.Category)
	b = appendTextField(b, `,"message":`, a.Message)
	b = appendTextField(b, `,"request_id":`, a.RequestID)
	b = appendTextField(b, `,"user_agent":`, a.UserAgent)
	b = appendTextField(b, `,"traceparent":`, a.Traceparent)
	if a.IPHash == nil {
		b = append(b, `,"ip_hash":null,"ip_key_id":null`...)
	} else {
		b = hex.AppendEncode(append(b, `,"ip_hash":"`...), a.IPHash)
		b = strconv.AppendInt(append(b, `","ip_key_id":`...), int64(a.IPKeyID), 10)
	}
	b = append(b, `,"delivery_channels":[`...)
	for i, channel := range a.DeliveryChannels {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, channel)
	}
	b = appendTextField(b, `],"warning":`, a.Warning)
	b = append(b, `,"payload":`...)
	if len(a.Payload) == 0 {
		return append(b, "{}}"...)
	}
	return append(append(b, a.Payload...), '}') // jsonb is written on one line
}

// appendCloudEvent appends a CloudEvents 1.0 event in JSON
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md). Its data is
// the object of appendObject.
func appendCloudEvent(b []byte, a *activity.Activity, source, typePrefix string) []byte {
	b = append(b, `{"specversion":"1.0"`...)
	b = appendIDField(b, `,"id":`, a.ID)
	b = appendTextField(b, `,"source":`, source+"/tenants/"+a.TenantID.String())
	b = appendTextField(b, `,"type":`, typePrefix+a.Action)
	b = appendTextField(b, `,"subject":`, a.ResourceType+"/"+a.ResourceID.String())
	b = append(appendTime(append(b, `,"time":"`...), a.OccurredAt), '"')
	b = append(appendTime(append(b, `,"recordedtime":"`...), a.RecordedAt), '"')
	b = appendIDField(b, `,"correlationid":`, a.CorrelationID)
	if a.Traceparent != "" { // attributes must not be empty
		b = appendTextField(b, `,"traceparent":`, a.Traceparent)
	}
	b = append(b, `,"datacontenttype":"application/json","data":`...)
	return append(appendObject(b, a), '}')
}

func appendTextField(b []byte, name, text string) []byte {
	return jsontext.AppendString(append(b, name...), text)
}

func appendIDField(b []byte, name string, id uuid.UUID) []byte {
	return jsontext.AppendUUIDOrNull(append(b, name...), id)
}
