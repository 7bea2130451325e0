package pg

import (
	"encoding/hex"

	"github.com/jackc/pgx/v5/pgtype"
)

// Hex scans encode(column, 'hex') into bytes; NULL becomes nil. The text of the column itself,
// which connections in the modes for poolers receive, depends on the server's setting bytea_output.
type Hex []byte

// ScanText implements [pgtype.TextScanner].
func (h *Hex) ScanText(text pgtype.Text) error {
	*h = nil
	if !text.Valid {
		return nil
	}
	bytes, err := hex.DecodeString(text.String)
	*h = bytes
	return err
}
