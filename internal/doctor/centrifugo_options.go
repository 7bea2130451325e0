package doctor

// Options of Centrifugo's configuration that remedies name, as in v6 and as in v5.
const (
	apiKey          = "http_api.key (v5: api_key)"
	grpcEnabled     = "grpc_api.enabled (v5: grpc_api)"
	grpcKey         = "grpc_api.key (v5: grpc_api_key)"
	secretKey       = "client.token.hmac_secret_key (v5: token_hmac_secret_key)"
	subscriptionKey = "client.subscription_token.enabled (v5: separate_subscription_token_config)"
	insecureKey     = "client.insecure (v5: client_insecure)"
	unverifiedKey   = "client.insecure_skip_token_signature_verify (v5: client_insecure_skip_token_signature_verify)"
	anonymousKey    = "client.allow_anonymous_connect_without_token (v5: allow_anonymous_connect_without_token)"
	personalKey     = "client.subscribe_to_user_personal_channel.enabled (v5: user_subscribe_to_personal)"
	personalNameKey = "client.subscribe_to_user_personal_channel.personal_channel_namespace " +
		"(v5: user_personal_channel_namespace)"
	refreshKey    = "channel.proxy.sub_refresh.endpoint (v5: proxy_sub_refresh_endpoint)"
	metaKey       = "channel.proxy.sub_refresh.include_connection_meta (v5: proxy_include_connection_meta)"
	refreshingKey = "sub_refresh_proxy_enabled (v5: proxy_sub_refresh)"
	delayKey      = "client.expired_sub_close_delay (v5: client_expired_sub_close_delay)"
	presenceKey   = "client.presence_update_interval (v5: client_presence_update_interval)"
	originsKey    = "client.allowed_origins (v5: allowed_origins)"
	engineKey     = `engine.type (v5: engine)`
	namespacesKey = "channel.namespaces (v5: namespaces)"
)

// inNamespace names options of a namespace, which have the same names in both versions.
func inNamespace(namespace, options string) string {
	return options + " of the namespace " + namespace + " in " + namespacesKey
}
