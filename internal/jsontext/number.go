package jsontext

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// Number is a JSON number, read for its decimal digits: of any size, and without rounding.
type Number struct {
	negative       bool
	before, behind []byte // the digits on either side of the point, as they are written
	exponent       int
	zeros          int // leading zeros of before and behind together; all of them for the number 0
}

// ParseNumber reads a valid JSON number, and keeps its text. It reports false if the exponent is
// beyond what PostgreSQL's numeric type reads.
func ParseNumber(text []byte) (n Number, ok bool) {
	mantissa, negative := bytes.CutPrefix(text, []byte{'-'})
	n.negative = negative
	if at := bytes.IndexAny(mantissa, "eE"); at >= 0 {
		var err error
		n.exponent, err = strconv.Atoi(string(mantissa[at+1:]))
		if err != nil || n.exponent <= -math.MaxInt32/2 || n.exponent >= math.MaxInt32/2 {
			return Number{}, false
		}
		mantissa = mantissa[:at]
	}
	n.before, n.behind, _ = bytes.Cut(mantissa, []byte{'.'})
	n.zeros = leadingZeros(n.before)
	if n.zeros == len(n.before) {
		n.zeros += leadingZeros(n.behind)
	}
	return n, true
}

func leadingZeros(digits []byte) int { return len(digits) - len(bytes.TrimLeft(digits, "0")) }

// Zero reports whether the number is 0.
func (n Number) Zero() bool { return n.zeros == len(n.before)+len(n.behind) }

// Negative reports whether the number is below 0.
func (n Number) Negative() bool { return n.negative && !n.Zero() }

// Whole returns how many digits the number has before the point when it is written out; the least
// is 1, as in 0.5.
func (n Number) Whole() int {
	if n.Zero() {
		return 1
	}
	return max(len(n.before)+n.exponent-n.zeros, 1)
}

// Fraction returns how many digits the number has behind the point when it is written out with the
// zeros that end it, as PostgreSQL's numeric type keeps them.
func (n Number) Fraction() int { return max(len(n.behind)-n.exponent, 0) }

// The digits that PostgreSQL's numeric type stores
// (https://www.postgresql.org/docs/current/datatype-numeric.html).
const (
	MaxWhole    = 131072
	MaxFraction = 16383
)

// FitsNumeric reports whether PostgreSQL's numeric type, and so jsonb, can store the number.
func (n Number) FitsNumeric() bool { return n.Whole() <= MaxWhole && n.Fraction() <= MaxFraction }

// NumericLen returns the length of what Numeric returns, without writing it.
func (n Number) NumericLen() int {
	length := n.Whole()
	if n.Negative() {
		length++
	}
	if fraction := n.Fraction(); fraction > 0 {
		length += len(".") + fraction
	}
	return length
}

// Numeric returns the number as PostgreSQL's numeric type writes it: without an exponent, and with
// the zeros that end its fraction.
func (n Number) Numeric() string {
	whole, fraction := n.Whole(), n.Fraction()
	var b strings.Builder
	b.Grow(whole + fraction + 2)
	if n.Negative() {
		b.WriteByte('-')
	}
	written := append(bytes.Clone(n.before), n.behind...)[n.zeros:]
	// The first digit that is written has a place: 1 is the one before the point, 0 the one behind.
	place := len(n.before) + n.exponent - n.zeros
	if n.Zero() || place < 1 {
		b.WriteByte('0')
	} else {
		head := written[:min(place, len(written))]
		b.Write(head)
		b.WriteString(strings.Repeat("0", place-len(head)))
		written = written[len(head):]
	}
	if fraction > 0 {
		b.WriteByte('.')
		if n.Zero() {
			b.WriteString(strings.Repeat("0", fraction))
		} else {
			b.WriteString(strings.Repeat("0", min(max(-place, 0), fraction)))
			b.Write(written)
		}
	}
	return b.String()
}

// Plain returns the one text that all ways to write the number share: without an exponent, and
// without the zeros that end its fraction.
func (n Number) Plain() string {
	text := n.Numeric()
	if n.Fraction() > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
