package centrifugo_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// values returns the values of a field of a message.
func values(message []byte, want protowire.Number) [][]byte {
	var all [][]byte
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		size := protowire.ConsumeFieldValue(number, kind, message[max(n, 0):])
		if n < 0 || size < 0 {
			return nil
		}
		if number == want && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message[n:])
			all = append(all, value)
		}
		message = message[n+size:]
	}
	return all
}

// decodeGRPC returns the broadcasts of a BatchRequest.
func decodeGRPC(body []byte) pipe {
	var p pipe
	for _, command := range values(body[min(5, len(body)):], 1) {
		for _, broadcast := range values(command, 5) {
			var b struct {
				Params broadcastParams `json:"broadcast"`
			}
			for _, channel := range values(broadcast, 1) {
				b.Params.Channels = append(b.Params.Channels, string(channel))
			}
			b.Params.Data = bytes.Join(values(broadcast, 2), nil)
			b.Params.IdempotencyKey = string(bytes.Join(values(broadcast, 6), nil))
			p = append(p, b)
		}
	}
	return p
}

// field returns a field that contains fields.
func field(number protowire.Number, contents ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), bytes.Join(contents, nil))
}

// writeGRPC replies to broadcasts as the server does, with the codes of their channels.
func writeGRPC(w http.ResponseWriter, codes [][]int) {
	var batch []byte
	for _, channels := range codes {
		var responses []byte
		for _, code := range channels {
			response := field(2) // result
			if code != 0 {
				number := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
				response = field(1, number, field(2, []byte("as the test wants it")))
			}
			responses = append(responses, field(1, response)...)
		}
		batch = append(batch, field(1, field(5, responses))...)
	}
	writeMessage(w, batch, 0)
}

// writeMessage responds with a message and a status.
func writeMessage(w http.ResponseWriter, message []byte, status int) {
	w.Header().Set("Content-Type", "application/grpc")
	header := make([]byte, 5)
	binary.BigEndian.PutUint32(header[1:], uint32(len(message)))
	_, _ = w.Write(append(header, message...))
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", strconv.Itoa(status))
}

// writeStatus responds with a status other than OK, and no message.
func writeStatus(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Grpc-Status", strconv.Itoa(status))
	w.Header().Set("Grpc-Message", text)
}

// forwardGRPC forwards a request to the real server and returns its response.
func forwardGRPC(w http.ResponseWriter, r *http.Request, body []byte) {
	request, _ := http.NewRequestWithContext(r.Context(), http.MethodPost,
		strings.Replace(server.GRPCURL(), "grpc:", "http:", 1)+r.URL.Path, bytes.NewReader(body))
	request.Header = r.Header.Clone()
	transport := &http.Transport{Protocols: new(http.Protocols), DisableKeepAlives: true}
	transport.Protocols.SetUnencryptedHTTP2(true)
	response, err := transport.RoundTrip(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = response.Body.Close() }()
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
	for name, value := range response.Trailer {
		w.Header()[http.TrailerPrefix+name] = value
	}
}
