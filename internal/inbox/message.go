package inbox

import (
	"encoding/json"

	"github.com/google/uuid"
)

// The messages on a principal's own channel that are not events: version 1 of their JSON documents.
// Fields may be added.
type (
	changedMessage struct {
		Version     string `json:"version"`
		Type        string `json:"type"`
		UnreadCount int    `json:"unread_count"`
	}
	returnedMessage struct {
		Version         string      `json:"version"`
		Type            string      `json:"type"`
		NotificationIDs []uuid.UUID `json:"notification_ids"`
		UnreadCount     int         `json:"unread_count"`
	}
)

const messageVersion = "1"

// ChangedMessage returns the message that the principal has changed its inbox, with the number of
// unread notifications.
func ChangedMessage(unread int) []byte {
	return encoded(changedMessage{messageVersion, "inbox.changed", unread})
}

// ReturnedMessage returns the message that snoozed notifications are in the inbox again.
func ReturnedMessage(ids []uuid.UUID, unread int) []byte {
	return encoded(returnedMessage{messageVersion, "inbox.returned", ids, unread})
}

func encoded(message any) []byte {
	data, _ := json.Marshal(message) // fails for no value of the types above
	return data
}
