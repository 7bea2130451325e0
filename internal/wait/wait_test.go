package wait

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bounded, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ended, end := context.WithCancel(t.Context())
		end()
		for name, tc := range map[string]struct {
			ctx  context.Context
			d    time.Duration
			took time.Duration
			want error
		}{
			"zero":           {t.Context(), 0, 0, nil},
			"negative":       {t.Context(), -time.Second, 0, nil},
			"zero, ended":    {ended, 0, 0, context.Canceled},
			"an hour, ended": {ended, time.Hour, 0, context.Canceled},
			"a second":       {t.Context(), time.Second, time.Second, nil},
		} {
			began := time.Now()
			if err := Sleep(tc.ctx, tc.d); !errors.Is(err, tc.want) {
				t.Errorf("%s: got %v, want %v", name, err, tc.want)
			}
			if took := time.Since(began); took != tc.took {
				t.Errorf("%s: got %s, want %s", name, took, tc.took)
			}
		}
		if err := Sleep(bounded, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a context that ends meanwhile: got %v, want its error", err)
		}
	})
}
