package daemon

import (
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fanfarehq/fanfare/internal/config"
)

// NewLogger returns a logger that writes to w with the level and the format of the settings.
func NewLogger(c *config.Config, w io.Writer) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(c.LogLevel)
	if err != nil {
		return nil, err
	}
	options := zap.NewProductionEncoderConfig()
	options.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	options.EncodeDuration = zapcore.StringDurationEncoder
	options.TimeKey = "time"
	encoder := zapcore.NewJSONEncoder(options)
	if c.LogFormat == "console" {
		options.EncodeTime = zapcore.ISO8601TimeEncoder
		options.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(options)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), level)), nil
}
