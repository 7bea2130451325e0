package centrifugo

import (
	"slices"
	"testing"

	"github.com/centrifugal/gocent/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"
)

// batchOf decodes a BatchRequest in the plainest way.
func batchOf(t *rapid.T, message []byte) []command {
	values := func(message []byte, number protowire.Number) [][]byte {
		all, ok := messages(message, number)
		if !ok {
			t.Fatalf("got %x, want a message", message)
		}
		return all
	}
	var commands []command
	for _, c := range values(message, batchCommands) {
		for _, b := range values(c, commandBroadcast) {
			var cmd command
			for _, name := range values(b, broadcastChannels) {
				cmd.channels = append(cmd.channels, string(name))
			}
			cmd.data = slices.Concat(values(b, broadcastData)...)
			cmd.key = string(slices.Concat(values(b, broadcastKey)...))
			commands = append(commands, cmd)
		}
	}
	return commands
}

// messages returns the values of a field, and false if the message is malformed.
func messages(message []byte, want protowire.Number) (all [][]byte, ok bool) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeField(message)
		if n < 0 {
			return nil, false
		}
		if kind == protowire.BytesType && number == want {
			_, _, header := protowire.ConsumeTag(message)
			value, _ := protowire.ConsumeBytes(message[header:])
			all = append(all, value)
		}
		message = message[n:]
	}
	return all, true
}

// A request contains the commands, and has the size that it is allocated with.
func TestAppendBatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		commands := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) command {
			return command{
				channels: rapid.SliceOfN(rapid.StringN(0, 300, 300), 1, 5).Draw(t, "channels"),
				data:     rapid.SliceOfN(rapid.Byte(), 1, 20_000).Draw(t, "data"),
				key:      rapid.String().Draw(t, "key"),
			}
		}), 0, 5).Draw(t, "commands")
		message := appendBatch(nil, commands)
		if got, want := len(message), batchSize(commands); got != want {
			t.Fatalf("got %d bytes, want %d", got, want)
		}
		got := batchOf(t, message)
		if len(got) != len(commands) {
			t.Fatalf("got %d commands, want %d", len(got), len(commands))
		}
		for i, want := range commands {
			if !slices.Equal(got[i].channels, want.channels) || !slices.Equal(got[i].data, want.data) ||
				got[i].key != want.key {
				t.Fatalf("got %+v, want %+v", got[i], want)
			}
		}
	})
}

// message returns a field that contains others.
func message(number protowire.Number, fields ...[]byte) []byte {
	value := slices.Concat(fields...)
	return append(appendHeader(nil, number, len(value)), value...)
}

func integer(number protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), value)
}

func TestReadBatch(t *testing.T) {
	t.Parallel()
	commands := []command{{channels: []string{"user:a", "user:b"}}, {channels: []string{"user:c"}}}
	published := message(2, integer(1, 7), message(2, []byte("epoch"))) // PublishResponse.result
	failure := slices.Concat(integer(errorCode, 102), message(errorMessage, []byte("unknown channel")))
	unknown := slices.Concat(integer(77, 5), message(78, []byte("later")),
		protowire.AppendFixed64(protowire.AppendTag(nil, 79, protowire.Fixed64Type), 1))
	responses := func(all ...[]byte) []byte {
		var result []byte
		for _, response := range all {
			result = append(result, message(resultResponses, response, unknown)...)
		}
		result = append(result, unknown...)
		return slices.Concat(unknown, message(batchReplies, message(replyBroadcast, result), unknown))
	}
	both, one := responses(published, published), responses(published)
	want102 := gocent.Error{Code: 102, Message: "unknown channel"}

	tests := map[string]struct {
		message []byte
		check   func(replies []reply) bool
		fails   bool
	}{
		"accepted": {slices.Concat(both, one), func(r []reply) bool { return r == nil }, false},
		"a channel failed": {
			slices.Concat(responses(published, message(responseError, failure)), one),
			func(r []reply) bool {
				return r[0].channels[0] == nil && *r[0].channels[1] == want102 && r[1].accepted()
			}, false,
		},
		"the last broadcast failed": {
			slices.Concat(both, message(batchReplies, message(replyError, failure))),
			func(r []reply) bool { return r[0].accepted() && *r[1].err == want102 && !r[1].malformed }, false,
		},
		"a response is missing": {
			slices.Concat(one, one), func(r []reply) bool { return r[0].malformed && r[1].accepted() }, false,
		},
		"a response too many": {
			slices.Concat(both, both), func(r []reply) bool { return r[0].accepted() && r[1].malformed }, false,
		},
		"no responses": {
			slices.Concat(both, message(batchReplies)), func(r []reply) bool { return r[1].malformed }, false,
		},
		"responses of another type": {
			slices.Concat(both, message(batchReplies, message(replyBroadcast, integer(resultResponses, 1)))),
			func(r []reply) bool { return r[0].accepted() && r[1].malformed }, false,
		},
		"a malformed result": {
			slices.Concat(both, message(batchReplies, message(replyBroadcast, message(resultResponses), []byte{0xff}))),
			func(r []reply) bool { return r[0].accepted() && r[1].malformed }, false,
		},
		"replies of another type": {slices.Concat(both, integer(batchReplies, 1)), nil, true},
		"a reply is missing":      {both, nil, true},
		"a reply too many":        {slices.Concat(both, one, one), nil, true},
		"empty":                   {nil, nil, true},
		"truncated":               {slices.Concat(both, one)[:len(both)+len(one)-1], nil, true},
		"another message":         {[]byte("<html>"), nil, true},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			replies, err := readBatch(test.message, commands)
			if (err != nil) != test.fails {
				t.Fatalf("got %v, want an error: %t", err, test.fails)
			}
			if !test.fails && !test.check(replies) {
				t.Errorf("got %+v", replies)
			}
		})
	}
}

// accepts reports whether a BatchResponse says that every channel of every command accepted.
func accepts(batch []byte, commands []command) bool {
	replies, ok := messages(batch, batchReplies)
	if !ok || len(replies) != len(commands) {
		return false
	}
	for i, r := range replies {
		failures, _ := messages(r, replyError)
		results, ok := messages(r, replyBroadcast)
		answered := 0
		for _, result := range results {
			responses, valid := messages(result, resultResponses)
			ok = ok && valid
			answered += len(responses)
			for _, response := range responses {
				failed, valid := messages(response, responseError)
				ok = ok && valid && len(failed) == 0
			}
		}
		if !ok || len(failures) > 0 || answered != len(commands[i].channels) {
			return false
		}
	}
	return true
}

// Whatever a server answers, reading it does not panic, and accepts what the answer accepts.
func FuzzReadBatch(f *testing.F) {
	response := message(resultResponses, message(2, integer(1, 7)))
	f.Add(slices.Concat(
		message(batchReplies, message(replyBroadcast, response, response)),
		message(batchReplies, message(replyBroadcast, response, integer(99, 1))),
	))
	f.Add(slices.Concat(
		message(batchReplies, message(replyBroadcast, response), message(replyBroadcast, response)),
		integer(99, 1),
		message(batchReplies, message(replyError, integer(errorCode, 100))),
	))
	f.Add(message(batchReplies, message(replyInfo, message(infoNodes))))
	f.Fuzz(func(t *testing.T, data []byte) {
		commands := []command{{channels: []string{"user:a", "user:b"}}, {channels: []string{"user:c"}}}
		replies, err := readBatch(data, commands)
		if got, want := replies == nil && err == nil, accepts(data, commands); got != want {
			t.Errorf("%x: got %+v and %v, want it accepted: %t", data, replies, err, want)
		}
		if nodes, refused, err := readInfo(data); err == nil && refused == nil && len(nodes) == 0 {
			t.Errorf("%x: got no error without a node", data)
		}
	})
}
