package centrifugo

import (
	"github.com/centrifugal/gocent/v3"
	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of the fields that requests and replies use, from Centrifugo's
// internal/apiproto/api.proto. They are the same in v5 and v6.
const (
	batchCommands     = 1  // BatchRequest.commands
	commandBroadcast  = 5  // Command.broadcast
	commandInfo       = 13 // Command.info
	broadcastChannels = 1  // BroadcastRequest.channels
	broadcastData     = 2  // BroadcastRequest.data
	broadcastKey      = 6  // BroadcastRequest.idempotency_key

	batchReplies    = 1  // BatchResponse.replies
	replyError      = 2  // Reply.error
	replyBroadcast  = 5  // Reply.broadcast
	replyInfo       = 13 // Reply.info
	resultResponses = 1  // BroadcastResult.responses
	responseError   = 1  // PublishResponse.error
	infoNodes       = 1  // InfoResult.nodes
	nodeID          = 1  // NodeResult.uid
	errorCode       = 1  // Error.code
	errorMessage    = 2  // Error.message
)

// fieldSize returns the size of a field with a value of n bytes.
func fieldSize(number protowire.Number, n int) int {
	return protowire.SizeTag(number) + protowire.SizeBytes(n)
}

// protobufSize returns the size of the command as a BroadcastRequest.
func (c *command) protobufSize() int {
	n := fieldSize(broadcastData, len(c.data))
	for _, name := range c.channels {
		n += fieldSize(broadcastChannels, len(name))
	}
	if c.key != "" {
		n += fieldSize(broadcastKey, len(c.key))
	}
	return n
}

// batchSize returns the size of commands as a BatchRequest.
func batchSize(commands []command) int {
	n := 0
	for i := range commands {
		n += fieldSize(batchCommands, fieldSize(commandBroadcast, commands[i].protobufSize()))
	}
	return n
}

// appendBatch appends commands as a BatchRequest.
func appendBatch(b []byte, commands []command) []byte {
	for i := range commands {
		c := &commands[i]
		size := c.protobufSize()
		b = appendHeader(b, batchCommands, fieldSize(commandBroadcast, size))
		b = appendHeader(b, commandBroadcast, size)
		for _, name := range c.channels {
			b = append(appendHeader(b, broadcastChannels, len(name)), name...)
		}
		b = append(appendHeader(b, broadcastData, len(c.data)), c.data...)
		if c.key != "" {
			b = append(appendHeader(b, broadcastKey, len(c.key)), c.key...)
		}
	}
	return b
}

// appendInfo appends the command info as a BatchRequest.
func appendInfo(b []byte) []byte {
	b = appendHeader(b, batchCommands, fieldSize(commandInfo, 0))
	return appendHeader(b, commandInfo, 0)
}

// appendHeader appends what precedes the value of a field: its tag and its length.
func appendHeader(b []byte, number protowire.Number, length int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.BytesType), uint64(length))
}

// fields reads the fields of a message one after the other. The caller skips those that it does not
// know: a newer server may add some to any message.
type fields struct {
	rest      []byte
	malformed bool

	number  protowire.Number
	kind    protowire.Type
	value   []byte // of a field with a length; it shares the memory of the message
	integer uint64 // of a field with a varint
}

// is reports whether the field that was read is one with a length and this number.
func (f *fields) is(number protowire.Number) bool {
	return f.number == number && f.kind == protowire.BytesType
}

// next reads the next field. It returns false at the end and at a malformed field.
func (f *fields) next() bool {
	if len(f.rest) == 0 {
		return false
	}
	number, kind, n := protowire.ConsumeTag(f.rest)
	if n < 0 {
		f.malformed = true
		return false
	}
	f.number, f.kind, f.value, f.integer, f.rest = number, kind, nil, 0, f.rest[n:]
	switch kind {
	case protowire.BytesType:
		f.value, n = protowire.ConsumeBytes(f.rest)
	case protowire.VarintType:
		f.integer, n = protowire.ConsumeVarint(f.rest)
	default:
		n = protowire.ConsumeFieldValue(number, kind, f.rest)
	}
	if n < 0 {
		f.malformed = true
		return false
	}
	f.rest = f.rest[n:]
	return true
}

// readBatch reads a BatchResponse. It returns a reply for each command, or none if every channel of
// every command accepted.
func readBatch(message []byte, commands []command) ([]reply, error) {
	var replies []reply
	count := 0
	batch := fields{rest: message}
	for batch.next() {
		if !batch.is(batchReplies) {
			continue
		}
		if count == len(commands) {
			return nil, errMalformed
		}
		r := readReply(batch.value, len(commands[count].channels))
		if replies == nil && !r.accepted() {
			replies = make([]reply, len(commands)) // those before are accepted
		}
		if replies != nil {
			replies[count] = r
		}
		count++
	}
	if batch.malformed || count != len(commands) {
		return nil, errMalformed
	}
	return replies, nil
}

// readReply reads the reply to a broadcast to a number of channels.
func readReply(message []byte, channels int) reply {
	var r reply
	answered := 0
	f := fields{rest: message}
	for f.next() {
		switch {
		case f.is(replyError):
			r.err = readError(f.value)
		case f.is(replyBroadcast):
			var ok bool
			if answered, ok = r.readResult(f.value, answered, channels); !ok {
				return reply{malformed: true}
			}
		}
	}
	r.malformed = f.malformed || r.err == nil && answered != channels
	return r
}

// readResult reads a BroadcastResult, whose responses are those of the channels after the first
// answered ones. It returns how many channels are answered now, and false if the result is
// malformed.
func (r *reply) readResult(message []byte, answered, channels int) (int, bool) {
	f := fields{rest: message}
	for f.next() {
		if !f.is(resultResponses) {
			continue
		}
		err, ok := readResponse(f.value)
		if !ok || answered == channels {
			return answered, false
		}
		if err != nil {
			r.fail(answered, channels, err)
		}
		answered++
	}
	return answered, !f.malformed
}

// readResponse reads the response of one channel.
func readResponse(message []byte) (err *gocent.Error, ok bool) {
	f := fields{rest: message}
	for f.next() {
		if f.is(responseError) {
			err = readError(f.value)
		}
	}
	return err, !f.malformed
}

// readError reads an Error. A malformed one has no code, so that it is Transient.
func readError(message []byte) *gocent.Error {
	var e gocent.Error
	for f := (fields{rest: message}); f.next(); {
		switch f.number {
		case errorCode:
			e.Code = int(f.integer)
		case errorMessage:
			e.Message = string(f.value)
		}
	}
	return &e
}

// readInfo reads the reply to the command info, and returns the ids of the nodes, of which there is
// at least one.
func readInfo(message []byte) (nodes []string, refused *gocent.Error, err error) {
	batch := fields{rest: message}
	for batch.next() {
		if !batch.is(batchReplies) {
			continue
		}
		r := fields{rest: batch.value}
		for r.next() {
			switch {
			case r.is(replyError):
				refused = readError(r.value)
			case r.is(replyInfo):
				for info := (fields{rest: r.value}); info.next(); {
					if info.is(infoNodes) {
						nodes = append(nodes, readNode(info.value))
					}
				}
			}
		}
		if r.malformed {
			return nil, nil, errMalformed
		}
	}
	if batch.malformed || refused == nil && len(nodes) == 0 {
		return nil, nil, errMalformed
	}
	return nodes, refused, nil
}

// readNode returns the id of a node.
func readNode(message []byte) (id string) {
	for f := (fields{rest: message}); f.next(); {
		if f.is(nodeID) {
			id = string(f.value)
		}
	}
	return id
}
