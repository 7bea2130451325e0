package devstack

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// refuser answers Centrifugo, instead of Fanfare's API, that no subscription may go on when its
// token has expired.
type refuser struct {
	server http.Server
	url    string
	done   chan struct{} // closed when the server has ended
}

func startRefuser(ctx context.Context) (*refuser, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", local(0))
	if err != nil {
		return nil, err
	}
	r := &refuser{
		url:  "http://" + listener.Addr().String(),
		done: make(chan struct{}),
		server: http.Server{
			ReadTimeout: time.Minute,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"result":{"expired":true}}`)
			}),
		},
	}
	go func() {
		defer close(r.done)
		_ = r.server.Serve(listener) // ends with stop
	}()
	return r, nil
}

func (r *refuser) stop() {
	if r != nil {
		_ = r.server.Close()
		<-r.done
	}
}
