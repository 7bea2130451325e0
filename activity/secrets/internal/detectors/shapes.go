package detectors

// PairName and PairValue match the keys, in lower case, of an object that holds a name and its
// value, such as {"name":"Authorization","value":"…"} or {"field":"password","before":"…"}.
const (
	PairName = `^(name|key|k|field|header|param|parameter|property|prop|attribute|attr|variable|var|env|setting|` +
		`option|label|path|column)([^a-z0-9]?name)?$`
	PairValue = `^((old|new|string|raw|default|current|previous|actual|expected|before|after)[^a-z0-9]?)?` +
		`(value|values|val|v)$|^(before|after|old|new|from|to|previous|prev|current|default|content)$`
)

// Word matches a text that is more likely a name than a secret.
const Word = `^[a-z]+([-_.][a-z]+)*$`

// UUID matches the text of a UUID.
const UUID = `^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`

// A Shape is an example of a payload in which a secret is recognized by where it is.
type Shape struct {
	Text   string
	Stored string // the same as Text if it holds no secret
}

// Shapes returns examples of names beside their values, and of keys whose value decides.
func Shapes() []Shape {
	same := func(text string) Shape { return Shape{text, text} }
	return []Shape{
		{`{"name":"Authorization","value":"hunter2"}`, `{"name":"Authorization","value":"[redacted]"}`},
		{`{"value":["a","b"],"Key":"db_password"}`, `{"value":"[redacted]","Key":"db_password"}`},
		{`{"field":"otp","before":1,"after":2}`, `{"field":"otp","before":"[redacted]","after":"[redacted]"}`},
		{`{"op":"replace","path":"/password","value":7}`, `{"op":"replace","path":"/password","value":"[redacted]"}`},
		{`{"headers":[["cookie","abc"],["accept","*"]]}`, `{"headers":[["cookie","[redacted]"],["accept","*"]]}`},
		{`{"header":["Cookie","sid=1"]}`, `{"header":["Cookie","[redacted]"]}`},
		{`{"tokens":["abc"],"pass":"x"}`, `{"tokens":"[redacted]","pass":"[redacted]"}`},
		same(`{"name":"Content-Type","value":"text/html"}`),
		same(`{"name":"password","position":3}`),
		same(`{"changed":["password","email"]}`),
		same(`{"changed":["password","email","phone"]}`),
		same(`{"tokens":512,"pass":true,"session_id":"018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f"}`),
		same(`{"name":"tokens","value":512}`),
	}
}
