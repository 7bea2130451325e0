package detectors

// formats returns the detectors of secrets in formats that many systems share.
func formats() []Detector {
	return []Detector{
		{
			Name:     "jwt",
			Finds:    "JSON Web Tokens: by the name of their key, or by their first characters",
			LastWord: `jwt`,
			Token:    `eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_-]{8,}[.]`,
			Hints:    []string{"jwt", "eyj"},
			Keys:     []string{"jwt", "id.jwt"},
			NotKeys:  []string{"jwt_issuer"},
			Texts:    []string{"eyJ….….…"},
			NotTexts: []string{"eyJ….…", "heyJ….….…"},
		},
		{
			Name:     "bearer",
			Finds:    "bearer tokens (RFC 6750)",
			LastWord: `bearer`,
			Text:     `[Bb][Ee][Aa][Rr][Ee][Rr][ +]+[A-Za-z0-9._~+/=-]{12,}`,
			Hints:    []string{"bearer"},
			Keys:     []string{"bearer"},
			NotKeys:  []string{"forbearer"},
			Texts:    []string{"Bearer …", "bEaReR …"},
			NotTexts: []string{"the bearer of this letter"},
		},
		{
			Name:  "HTTP credentials",
			Finds: "credentials of the schemes Basic (RFC 7617), Negotiate and NTLM",
			// The base64 of ASCII characters, which few words of a language look like; base64 with
			// padding; or much of it.
			Text: `[Bb][Aa][Ss][Ii][Cc][ +]+(` +
				`([A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/]){2,}|` +
				`[A-Za-z0-9+/]{6,}=|[A-Za-z0-9]{24,})|([Nn][Ee][Gg][Oo][Tt][Ii][Aa][Tt][Ee]|[Nn][Tt][Ll][Mm]) +` +
				`[A-Za-z0-9+/]{24,}`,
			Hints: []string{"basic", "negotiate", "ntlm"},
			Texts: []string{
				"Basic …", "Basic dXNlcjpodW50ZXIy", "basic YWRhOmh1bnRlcjI=", "BASIC YTpodW50ZXIy", "Negotiate …",
				"NTLM …",
			},
			NotTexts: []string{
				"Basic authentication", "basic knowledge of JavaScript", "Basic understanding of thermodynamics",
				"Negotiate internationalization", "BASIC HTML5 course", "basic: dXNlcjpodW50ZXIy",
			},
		},
		{
			Name:     "private key",
			Finds:    "private keys in PEM (RFC 7468)",
			Text:     `-----BEGIN [A-Z0-9 ]*PRIVATE KEY`,
			Hints:    []string{"-----begin"},
			Texts:    []string{"-----BEGIN RSA PRIVATE KEY-----\nMIIE", "-----BEGIN PRIVATE KEY-----"},
			NotTexts: []string{"-----BEGIN PUBLIC KEY-----"},
		},
		{
			Name:  "URL password",
			Finds: "URLs with a password",
			Text:  `[A-Za-z0-9+.-]://[^/?# :]*:[^/?# @]+@`,
			Hints: []string{"://"},
			Texts: []string{
				"postgres://app:hunter2@db/app", "redis://:hunter2@cache", "HTTPS://APP:HUNTER2@DB",
				"smtp://ada@example.com:hunter2@mail",
			},
			NotTexts: []string{
				"https://ada@example.com:8080/x", "https://example.com:8080/a@b", "https://example.com/?a=b",
			},
		},
		{
			Name:  "URL token",
			Finds: "web addresses with a token as user",
			Lower: `https?://[^/?# :@]*([a-z0-9_.~%-]{20}|[0-9][a-z0-9_-]{11,})@`,
			Hints: []string{"://"},
			Texts: []string{"https://…@github.com/acme/app.git", "git+https://a1b2c3d4e5f6a7b8@git.example.com/app"},
			NotTexts: []string{
				"https://ada@example.com/x", "ssh://git@github.com/acme/app", "https://example.com/@ada",
				"https://acme-engineering@dev.azure.com/app",
				"https://example.com/a?mail=a-very-long-address-2026@b.com",
			},
		},
		{
			Name:  "signed URL",
			Finds: "URLs and strings with a signature that grants access",
			Lower: `[?&;](x-(amz|goog)-)?(sig|signature|hmac)=[a-z0-9%+/_-]{16}`,
			Hints: []string{"sig=", "signature=", "hmac="},
			Texts: []string{
				"https://files.example.com/a?sv=1&sig=…", "?sig=…", "&X-Amz-Signature=…", "?Signature=…", "&amp;sig=…",
			},
			NotTexts: []string{"?sig=1", "?signal=…", "?design=…"},
		},
		{
			Name:  "webhook URL",
			Finds: "URLs that let anyone post to a chat or start an automation",
			Lower: `://(hooks[.]slack[.]com/|hooks[.]zapier[.]com/|` +
				`([a-z]+[.])?discord(app)?[.]com/api/(v[0-9]+/)?webhooks/|` +
				`[a-z0-9-]+[.]webhook[.]office[.]com/|outlook[.]office(365)?[.]com/webhook/|api[.]telegram[.]org/bot|` +
				`chat[.]googleapis[.]com/v1/spaces/|open[.](feishu[.]cn|larksuite[.]com)/open-apis/bot/|` +
				`qyapi[.]weixin[.]qq[.]com/cgi-bin/webhook/|[^/?# ]+/hooks/)[^ ]{16}`,
			Hints: []string{"://"},
			Texts: []string{
				"https://hooks.slack.com/services/T01/B02/…", "https://discord.com/api/webhooks/1/…",
				"https://acme.webhook.office.com/webhookb2/…", "https://api.telegram.org/bot1:…",
				"https://chat.example.com/hooks/…", "https://hooks.zapier.com/hooks/catch/1/…",
			},
			NotTexts: []string{
				"https://discord.com/channels/…", "https://example.com/docs/webhooks/…", "https://api.telegram.org/",
			},
		},
	}
}
